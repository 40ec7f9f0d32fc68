import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./markdown";

test("TypeDoc makes the API reference without a warning: types that are named are exported, links in comments resolve", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, "node_modules/typedoc/bin/typedoc"), "--emit", "none"],
    { cwd: ROOT, encoding: "utf8" },
  );
  expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: "" });
}, 180_000);
