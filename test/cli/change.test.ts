import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changeDigest, readChangeRequest } from "../../lib/contracts";
import { draft } from "../model/sample";
import { type CliResult, cli, MODEL, withFolder, withModule } from "./run-cli";

const DATE = "2026-11-25";
const JWT = `${DATE}-jwt--signing.md`;

const write = (folder: string, key: string, ...more: string[]): Promise<CliResult> =>
  cli("change", "new", key, "--reason", "Quarterly rotation", "--date", DATE, "--out", folder, ...more);

/** A request for all three environments. */
const writeJwt = (folder: string): Promise<CliResult> =>
  write(
    folder,
    "jwt/signing",
    ...["--schedule", "dev=2026-12-01", "stage=2026-12-03", "prod=2026-12-08"],
    ...["--requester", "alice@example.com"],
  );

const check = (folder: string, ...more: string[]): Promise<CliResult> =>
  cli("change", "check", "--folder", folder, "--date", "2026-11-26", ...more);

test("new writes what check finds valid, the same bytes every time, and never over a file", async () => {
  await withFolder(async (folder) => {
    const first = await writeJwt(join(folder, "one"));
    expect(first).toMatchObject({ code: 0, err: "" });
    const text = readFileSync(join(folder, "one", JWT), "utf8");
    await writeJwt(join(folder, "two"));
    expect(readFileSync(join(folder, "two", JWT), "utf8")).toBe(text);
    expect(first.out).toContain(`Wrote ${join(folder, "one", JWT)}\n  ${changeDigest(text)}\n`);

    const again = await writeJwt(join(folder, "one"));
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining("is there already") });
    expect(readFileSync(join(folder, "one", JWT), "utf8")).toBe(text);

    const checked = await check(join(folder, "one"), "--format", "json");
    expect(checked.code).toBe(0);
    expect(JSON.parse(checked.out)).toEqual({
      valid: true,
      files: [{ file: join(folder, "one", JWT), open: true, faults: [], digest: changeDigest(text) }],
    });
  });
});

test("the file holds who asks for what and when, the blast radius, checks, the way back and who approves", async () => {
  await withFolder(async (folder) => {
    await writeJwt(folder);
    const text = readFileSync(join(folder, JWT), "utf8");
    const { change } = readChangeRequest(text);
    expect(change).toMatchObject({
      id: "2026-11-25-jwt--signing",
      secret: "jwt/signing",
      owner: "team-identity",
      requester: "alice@example.com",
      reason: "Quarterly rotation",
      schedule: { dev: "2026-12-01", stage: "2026-12-03", prod: "2026-12-08" },
      environments: {
        dev: { mode: "automatic", approval: "none" },
        prod: {
          mode: "manual-dual-publish",
          approval: "required",
          consumers: [{ workload: "backend", clusters: ["prod-eu-central", "prod-eu-west"] }],
          publishLeadHours: 8,
          overlapHours: 10,
          checks: expect.arrayContaining([expect.objectContaining({ name: "sign-in", status: 200 })]),
          rollback: expect.stringContaining("Until decommission"),
        },
      },
    });
    expect(change?.approvers).toContain("arn:aws:iam::333333333333:role/secrets-approver");
    expect(text).toContain("| prod | 2026-12-08 | manual-dual-publish | 8 hours | 10 hours | required |");
    expect(text).toContain(
      "- [ ] prod, 8 hours later: `secrets-registry rotate jwt/signing --env prod " +
        `--change security/change-requests/${JWT} --phase promote\``,
    );
    expect(text).toMatch(/\n## Checklist\n[\s\S]*\n## Sign-off\n/);
  });
});

test.each([
  ["payments/stripe", "--value-from stdin` with the vendor's new value"],
  ["admin/postgresql", "Dependents: admin/postgresql → db/app-primary."],
  ["storage/s3-app", "| celery | workers | celery | prod-eu-central, prod-eu-west |"],
])("a change of %s says what is special about it", async (key, words) => {
  await withFolder(async (folder) => {
    await write(folder, key, "--schedule", "prod=2026-12-08", "--requester", "alice@example.com");
    const [file = ""] = readdirSync(folder);
    expect(readFileSync(join(folder, file), "utf8")).toContain(words);
    expect((await check(folder)).code).toBe(0);
  });
});

const ASK = ["--requester", "alice@example.com"];

test.each([
  ["jwt/singing", ["--schedule", "dev=2026-12-01", ...ASK], 'Did you mean "jwt/signing"?'],
  ["jwt/signing", ["--schedule", "deb=2026-12-01", ...ASK], 'Did you mean "dev"?'],
  ["crypto/webhook", ["--schedule", "dev=2026-12-01", ...ASK], 'Unknown secret of dev "crypto/webhook"'],
  ["jwt/signing", ["--schedule", "dev=tomorrow", ...ASK], '--schedule dev is "tomorrow"'],
  ["jwt/signing", ["--schedule", "dev", ...ASK], '--schedule is "dev". Give environment=day'],
  ["jwt/signing", ["--schedule", "dev=2026-12-01,dev=2026-12-02", ...ASK], "--schedule names dev twice"],
  [
    "jwt/signing",
    ["--schedule", "dev=2026-12-09", "prod=2026-12-08", ...ASK],
    "schedule.prod\n  found:   2026-12-08, before dev's 2026-12-09",
  ],
  [
    "jwt/signing",
    ["--schedule", "dev=2026-11-24", ...ASK],
    "schedule.dev\n  found:   2026-11-24, before the change was asked for",
  ],
  [
    "jwt/signing",
    ["--schedule", "dev=2026-12-01", "--requester", "alice@example.com", "--approver", "Alice@Example.com"],
    "approvers[0]\n  found:   Alice@Example.com, who is the requester",
  ],
  ["jwt/signing", ["--schedule", "dev=2026-12-01", "--requester", "alice"], "allowed: an e-mail address, or"],
  ["jwt/signing", ["--requester", "alice@example.com"], "required option '--schedule"],
  ["jwt/signing", ["--schedule", "dev=2026-12-01", ...ASK, "--date", "2026-13-01"], '--date is "2026-13-01"'],
])("new %s %j is refused with 2, and writes nothing", async (key, args, message) => {
  await withFolder(async (folder) => {
    const { code, err } = await write(folder, key, ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).not.toContain("    at ");
    expect(readdirSync(folder)).toEqual([]);
  });
});

test.each([
  ["dora@example.com", 0, ""],
  ["", 2, "Git knows no user.email. Say who asks with --requester, such as alice@example.com.\n"],
])(
  "without --requester, git's user %j asks",
  async (email, code, message) => {
    await withFolder(async (folder) => {
      const { status, stderr } = spawnSync(
        process.execPath,
        [
          ...[
            "--import",
            "tsx",
            "lib/cli/secrets-registry.ts",
            "change",
            "new",
            "jwt/signing",
            "--reason",
            "x",
          ],
          ...["--schedule", "dev=2026-12-01", "--date", DATE, "--out", folder],
        ],
        {
          cwd: join(__dirname, "../.."),
          encoding: "utf8",
          env: {
            ...process.env,
            GIT_CONFIG_COUNT: "1",
            GIT_CONFIG_KEY_0: "user.email",
            GIT_CONFIG_VALUE_0: email,
          },
        },
      );
      expect([status, stderr]).toEqual([code, message]);
      const [file] = readdirSync(folder);
      if (file === undefined) expect(code).toBe(2);
      else expect(readFileSync(join(folder, file), "utf8")).toContain("\nrequester: dora@example.com\n");
    });
  },
  30_000,
);

test("a credential in the reason is refused and not repeated", async () => {
  const credential = ["sk", "live", "4eC39HqLyjWDarjtT1zdp7dc"].join("_");
  await withFolder(async (folder) => {
    const result = await cli(
      ...["change", "new", "jwt/signing", "--reason", `leaked ${credential}`, "--out", folder],
      ...["--schedule", "dev=2026-12-01", "--requester", "a@example.com", "--date", DATE],
    );
    expect(result.code).toBe(2);
    expect(result.err).toContain("a text that looks like a credential (not shown)");
    expect(result.err).not.toContain(credential);
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** Answer of `check` for the valid file after a change of its text. */
async function afterEdit(edit: (text: string) => string): Promise<CliResult> {
  return withFolder(async (folder) => {
    await writeJwt(folder);
    const file = join(folder, JWT);
    const text = readFileSync(file, "utf8");
    const edited = edit(text);
    expect(edited).not.toBe(text);
    writeFileSync(file, edited);
    return check(folder);
  });
}

const YAML = (name: string, value: string) => (text: string) =>
  text.replace(new RegExp(`^${name}: .*$`, "m"), `${name}: ${value}`);

test.each<[string, (text: string) => string, string]>([
  ["no front matter", (text) => text.replace("---\n", ""), "frontMatter\n  found:   no front matter"],
  [
    "YAML that ends too soon",
    (text) => text.replace("secret: ", "secret: {"),
    "YAML that is not well formed at line ",
  ],
  ["a key twice", (text) => text.replace("owner:", "id: x\nowner:"), "(DUPLICATE_KEY)"],
  [
    "aliases",
    (text) =>
      text
        .replace("owner: team-identity", "owner: &o team-identity")
        .replace("reason: Quarterly rotation", "reason: *o"),
    "YAML with aliases",
  ],
  [
    "a part that does not exist",
    (text) => text.replace("owner:", "urgent: true\nowner:"),
    "urgent\n  found:   a part that does not exist",
  ],
  ["a part that is missing", (text) => text.replace(/^reason: .*\n/m, ""), "reason\n  found:   nothing"],
  ["an unknown secret", YAML("secret", "jwt/singing"), 'did you mean "jwt/signing"?'],
  [
    "an environment that is not there",
    (text) => text.replace("  stage: 2026-12-03", "  stge: 2026-12-03"),
    'did you mean "stage"?',
  ],
  [
    "a day that is none",
    (text) => text.replace("  dev: 2026-12-01", "  dev: 2026-02-30"),
    'schedule.dev\n  found:   "2026-02-30"',
  ],
  [
    "days out of order",
    (text) => text.replace("  stage: 2026-12-03", "  stage: 2026-12-30"),
    "schedule.prod\n  found:   2026-12-08, before stage's 2026-12-30",
  ],
  [
    "a requester who approves",
    (text) => text.replace(/approvers:\n {2}- .*/, "approvers:\n  - alice@example.com"),
    "approvers[0]\n  found:   alice@example.com, who is the requester",
  ],
  [
    "nobody to approve",
    (text) => text.replace(/approvers:\n( {2}- .*\n)+/, "approvers: []\n"),
    "approvers\n  found:   nobody\n  allowed: at least one, because stage and prod ask for approval",
  ],
  ["another owner", YAML("owner", "team-other"), 'owner\n  found:   "team-other"'],
  [
    "an overlap that the registry does not have",
    (text) => text.replace("overlapHours: 10", "overlapHours: 1"),
    "environments.dev.overlapHours\n  found:   1\n  allowed: 10, as the registry says",
  ],
  [
    "a consumer less",
    (text) => text.replace(/consumers:\n( {6}.*\n)+/, "consumers: []\n"),
    "environments.dev.consumers\n  found:   []",
  ],
  [
    "another id than the file's name",
    YAML("id", "2026-11-25-redis--app"),
    'id\n  found:   "2026-11-25-redis--app"',
  ],
  [
    "text that says less than the front matter",
    (text) => text.replace("| prod | 2026-12-08 |", "| prod | later |"),
    "text\n  found:   another text than the front matter's, from line ",
  ],
])("check ends with 1 at %s", async (_name, edit, message) => {
  const { code, out, err } = await afterEdit(edit);
  expect([code, err]).toEqual([1, ""]);
  expect(out).toContain(message);
});

test("check tells all faults at once", async () => {
  const { out } = await afterEdit((text) =>
    YAML(
      "secret",
      "jwt/singing",
    )(YAML("requester", "nobody")(text)).replace("  dev: 2026-12-01", "  dev: soon"),
  );
  expect(out).toMatch(/: \d faults\n/);
  for (const path of ["requester", "schedule.dev", "secret"])
    expect(out).toMatch(new RegExp(`^${path.replace(".", "\\.")}$`, "m"));
});

test("check marks, sign-offs, layout and line ends are free, and change no digest", async () => {
  await withFolder(async (folder) => {
    await writeJwt(folder);
    const file = join(folder, JWT);
    const text = readFileSync(file, "utf8");
    const worked = `${text.replaceAll("- [ ]", "- [x]")}\nSigned-off-by: Bob <bob@example.com> (2026-12-09)\n`;
    const windows = worked
      .replace("reason: Quarterly rotation", 'reason: "Quarterly rotation"')
      .replaceAll("\n", "\r\n");
    writeFileSync(file, windows);
    expect((await check(folder)).code).toBe(0);
    expect(changeDigest(windows)).toBe(changeDigest(text));
    expect(changeDigest(text.replace("prod: 2026-12-08", "prod: 2026-12-09"))).not.toBe(changeDigest(text));
  });
});

test("a change that is over is history: the registry may have gone on", async () => {
  const module = (change: string): string => `
    const { defineRegistry } = require(${JSON.stringify(MODEL)});
    const d = ${JSON.stringify(draft())};
    ${change}
    exports.registry = defineRegistry(d);`;
  await withFolder(async (folder) => {
    await withModule(module(""), async (before) => {
      await cli(
        ...[
          "--registry",
          before,
          "change",
          "new",
          "db/app",
          "--reason",
          "x",
          "--date",
          DATE,
          "--out",
          folder,
        ],
        ...["--schedule", "dev=2026-12-01", "--requester", "a@example.com"],
      );
    });
    await withModule(module('d.secrets["db/app"].consumers = [];'), async (after) => {
      const checkOn = (day: string) =>
        cli("--registry", after, "change", "check", "--folder", folder, "--date", day);
      expect(await checkOn("2026-12-31")).toMatchObject({
        code: 1,
        out: expect.stringContaining("environments.dev.consumers"),
      });
      expect(await checkOn("2027-01-01")).toMatchObject({
        code: 0,
        out: expect.stringContaining(": valid, history"),
      });
    });
  });
});

test("check takes files by name, is content with none, and ends with 2 where a file is missing", async () => {
  await withFolder(async (folder) => {
    expect(await check(join(folder, "nothing"))).toEqual({ code: 0, out: "No change requests.\n", err: "" });
    await writeJwt(folder);
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "README.md"), "How we do it\n");
    expect((await check(folder)).code).toBe(0);
    expect((await check(folder, join(folder, JWT))).code).toBe(0);
    expect(await check(folder, join(folder, "other.md"))).toMatchObject({
      code: 2,
      err: `No file at ${join(folder, "other.md")}.\n`,
    });
  });
});

test("help has examples", async () => {
  expect((await cli("change", "new", "--help")).out).toMatch(
    /Examples:\n {2}secrets-registry change new jwt\/signing/,
  );
  expect((await cli("change", "check", "--help")).out).toMatch(
    /Examples:\n {2}secrets-registry change check\n/,
  );
});

test("a change for an environment in which nobody can vouch for one is told so before anybody approves it", async () => {
  const source = (vouched: boolean): string => {
    const definition = draft();
    const { prod } = definition.environments;
    if (vouched) {
      prod.changes = { repository: "acme/infrastructure" };
      prod.principals.ci = "arn:aws:iam::444455556666:role/ci";
    }
    return `exports.registry = require(${JSON.stringify(MODEL)}).defineRegistry(${JSON.stringify(definition)});`;
  };
  const ask = (module: string, folder: string): Promise<CliResult> =>
    cli(
      ...["--registry", module, "change", "new", "db/app", "--reason", "x", "--date", DATE, "--out", folder],
      ...["--schedule", "dev=2026-12-01", "prod=2026-12-08", "--requester", "a@example.com"],
    );
  await withFolder(async (folder) => {
    await withModule(source(false), async (closed) => {
      const asked = await ask(closed, folder);
      expect(asked).toMatchObject({
        code: 2,
        err: expect.stringContaining("schedule.prod\n  found:   prod, where nobody can vouch"),
      });
      expect(asked.err).toContain("environments.prod.changes");
      expect(asked.err).not.toContain("schedule.dev");
      expect(readdirSync(folder)).toEqual([]);
    });
    await withModule(source(true), async (open) =>
      expect(await ask(open, folder)).toMatchObject({ code: 0 }),
    );
  });
});
