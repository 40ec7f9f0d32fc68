import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { functionZip, writePackedFiles } from "../../lib/bundles";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bundles-"));
  writeFileSync(join(folder, "later.js"), "exports.later = 1;\n");
  writeFileSync(join(folder, "mirror.js"), 'exports.handler = () => import("./later.js");\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const zip = () => functionZip("mirror", { secrets: ["db/app"] }, folder);
const contents = () =>
  Object.fromEntries(
    Object.entries(unzipSync(zip().bytes)).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
  );

test("a function packed before has the bytes of one that is packed now", () => {
  const now = zip();
  writePackedFiles(folder, ["mirror.js", "later.js"]);
  expect(zip()).toEqual(now);
  expect(now.sourceCodeHash).toBe(createHash("sha256").update(now.bytes).digest("base64"));
  expect(contents()).toEqual({
    "index.js": 'exports.handler = () => import("./later.js");\n',
    "later.js": "exports.later = 1;\n",
    "settings.json": `${JSON.stringify({ secrets: ["db/app"] }, null, 2)}\n`,
  });
});

test.each(["mirror.js", "later.js"])(
  "a packed %s that is out of date is not taken, by its content",
  (name) => {
    writePackedFiles(folder, ["mirror.js", "later.js"]);
    const file = join(folder, name);
    const before = readFileSync(file, "utf8");
    // As long as before, and as old as what was packed.
    const changed = before.replace("exports", "EXPORTS");
    writeFileSync(file, changed);
    utimesSync(file, new Date(0), new Date(0));
    expect(contents()[name === "mirror.js" ? "index.js" : name]).toBe(changed);
  },
);

test.each([
  ["is cut off", (packed: Buffer) => packed.subarray(0, 20)],
  ["is empty", () => Buffer.alloc(0)],
  ["belongs to another bundle", () => readFileSync(join(folder, "packed/later.js.deflated"))],
])("a packed file that %s is not taken", (_, spoilt) => {
  const now = zip();
  writePackedFiles(folder, ["mirror.js", "later.js"]);
  const file = join(folder, "packed/mirror.js.deflated");
  writeFileSync(file, spoilt(readFileSync(file)));
  expect(zip()).toEqual(now);
});
