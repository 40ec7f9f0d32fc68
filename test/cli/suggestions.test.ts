import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cli, withFolder } from "./run-cli";

/** Every command that takes a name of the registry says the nearest one for a name that the registry does not have. */

const KEY = 'Unknown secret "jwt/sign". Did you mean "jwt/signing"?';
const ENVIRONMENT = 'Unknown environment "prd". Did you mean "prod"?';
const WORKLOAD = 'names no principal "backnd". Did you mean "backend"?';

const CASES: readonly (readonly [string, string])[] = [
  ["blast-radius jwt/sign", KEY],
  ["blast-radius jwt/sign --env prod", KEY],
  ["blast-radius jwt/signing --env prd", ENVIRONMENT],
  ["rotate jwt/sign --env prod", KEY],
  ["rotate jwt/signing --env prd", ENVIRONMENT],
  ["rotate status jwt/sign --env prod", KEY],
  ["rotate status jwt/signing --env prd", ENVIRONMENT],
  ["rotate rollback jwt/sign --env prod", KEY],
  ["rotate rollback jwt/signing --env prd", ENVIRONMENT],
  ["rotate rollout jwt/sign --change no-such.md", KEY],
  [
    "change new jwt/sign --reason Leak --requester ana@example.com --approver ben@example.com --schedule dev=2026-12-09",
    KEY,
  ],
  [
    "change new jwt/signing --reason Leak --requester ana@example.com --approver ben@example.com --schedule prd=2026-12-09",
    ENVIRONMENT,
  ],
  ["access --env prd", ENVIRONMENT],
  ["access principal backnd --env prod", WORKLOAD],
  ["access principal backend --env prd", ENVIRONMENT],
  ["access why backend jwt/sign --env prod", KEY],
  ["access why backnd jwt/signing --env prod", WORKLOAD],
  ["access why backend jwt/signing --env prd", ENVIRONMENT],
  ["change vouch no-such.md --env prd", ENVIRONMENT],
  ["list --env prd", ENVIRONMENT],
  ["bootstrap --env prd", ENVIRONMENT],
  ["due --env prd", ENVIRONMENT],
  ["preflight --env prd", ENVIRONMENT],
  ["audit check --env prd", ENVIRONMENT],
  ["audit compare --env prd", ENVIRONMENT],
  ["audit replay --env prd --from 2026-12-01T00:00:00Z --until 2026-12-02T00:00:00Z", ENVIRONMENT],
  ["prove --env prd", ENVIRONMENT],
  ["whose --env prd", ENVIRONMENT],
  ["approve run --env prd", ENVIRONMENT],
  ["failover --env prd --to eu-west-1", ENVIRONMENT],
  ["log check --env prd --since 2026-11-01", ENVIRONMENT],
  ["log archive --env prd --since 2026-11-01", ENVIRONMENT],
];

test.each(CASES)("%s", async (command, hint) => {
  await withFolder(async () => {
    const { code, err } = await cli(...command.split(" "));
    expect([code, err]).toEqual([2, expect.stringContaining(hint)]);
  });
});

test("every command of the page with an environment or a key is among them", () => {
  const page = readFileSync(join(__dirname, "../../docs/reference/cli.md"), "utf8");
  const sections = page.split(/^## /m).slice(1);
  const taking = sections
    .filter((section) => /--env <name|<key>/.test(section))
    .map(
      (section) =>
        section
          .split("\n")[0]
          ?.replaceAll("`", "")
          .replace(/^secrets-registry /, "") ?? "",
    );
  expect(taking.length).toBeGreaterThan(15);
  // It is the other package's, by the same registry.
  const missing = taking.filter(
    (name) =>
      name !== "rehearse" && !CASES.some(([command]) => command.startsWith(name.split(/ [<[]/)[0] ?? "")),
  );
  expect(missing).toEqual([]);
});
