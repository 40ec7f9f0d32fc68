import { blastRadius } from "../../lib/blueprint";
import { registry } from "../../registry";
import { cli } from "./run-cli";

test("json has the fields that scripts rely on: one object with --env, a list without", async () => {
  const { code, out } = await cli("blast-radius", "db/app-primary", "--env", "prod", "--format", "json");
  expect(code).toBe(0);
  const radius = JSON.parse(out);
  expect(radius).toEqual(blastRadius(registry, "prod", "db/app-primary"));
  for (const field of [
    "secret",
    "environment",
    "consumers",
    "regions",
    "dependents",
    "reload",
    "overlapHours",
  ])
    expect(radius).toHaveProperty(field);
  const all = JSON.parse((await cli("blast-radius", "crypto/webhook", "--format", "json")).out);
  expect(all.map(({ environment }: { environment: string }) => environment)).toEqual(["stage", "prod"]);
});

test("text tells consumers, reload, checks and the way back", async () => {
  const { code, out } = await cli("blast-radius", "db/app-primary", "--env", "prod");
  expect(code).toBe(0);
  expect(out).toMatch(/^db\/app-primary in prod\n/);
  expect(out).toMatch(/^overlap +8 hours$/m);
  expect(out).toMatch(
    /^celery +workers +celery +prod-eu-central \(eu-central-1\), prod-eu-west \(eu-west-1\)/m,
  );
  expect(out).toContain("redeploy of Deployment celery");
  expect(out).toContain("https://api.example.com/synthetic/task");
  expect(out).toMatch(/^roll-back +Until decommission/m);
});

test("Markdown has the same as tables", async () => {
  const { out } = await cli("blast-radius", "admin/postgresql", "--env", "prod", "--format", "md");
  expect(out).toMatch(/^## admin\/postgresql in prod\n\n\| {2}\| {2}\|\n\| --- \| --- \|\n/);
  expect(out).toContain("| db/app-primary | admin/postgresql → db/app-primary | backend, celery |");
  expect(out).toContain("No workload reads it.");
  expect(out).toContain("No check watches it.");
});

test("Mermaid draws each environment with regions, Vaults, consumers and chains, and quotes every label", async () => {
  const { out } = await cli("blast-radius", "db/app-primary", "--format", "mermaid");
  const lines = out.trimEnd().split("\n");
  expect(lines[0]).toBe("flowchart LR");
  expect(lines.filter((line) => line.includes("subgraph")).map((line) => line.trim())).toEqual([
    'subgraph e0environment0 ["dev"]',
    'subgraph e1environment0 ["stage"]',
    'subgraph e2environment0 ["prod"]',
  ]);
  expect(lines).toContain('    e2vault1 -->|"prod-eu-west"| e2workload1');
  // One statement a line: a node, an edge, or the bounds of a part.
  const id = String.raw`e\d+[a-z]+\d+`;
  const text = `"[A-Za-z0-9 ,.:/()=→_#;-]*"`;
  const statement = new RegExp(
    `^ +(subgraph ${id} \\[${text}\\]|end|${id}[[(]{1,2}${text}[\\])]{1,2}|${id} (-->|==>|-\\.->)(\\|${text}\\|)? ${id})$`,
  );
  for (const line of lines.slice(1)) expect(line).toMatch(statement);
  const chain = await cli("blast-radius", "admin/postgresql", "--env", "dev", "--format", "mermaid");
  expect(chain.out).toContain('e0secret0 ==>|"rotates"| e0secret1');
});

test.each([
  [
    ["jwt/singing", "--env", "prod"],
    'Unknown secret "jwt/singing". Did you mean "jwt/signing"? The registry has: ',
  ],
  [["jwt/singing"], 'Did you mean "jwt/signing"?'],
  [["jwt/sign"], 'Did you mean "jwt/signing"?'],
  [["crypto/webhook", "--env", "dev"], 'Unknown secret of dev "crypto/webhook". The registry has: '],
  [["crypto/webhook", "--env", "prd"], 'Did you mean "prod"?'],
  [["crypto/webhook", "--format", "svg"], "Allowed choices are text, json, md, mermaid"],
  [[], "missing required argument 'key'"],
])("blast-radius %j ends with 2 and says what to change", async (args, message) => {
  const { code, out, err } = await cli("blast-radius", ...args);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});

test("help has examples", async () => {
  const { code, out } = await cli("blast-radius", "--help");
  expect(code).toBe(0);
  expect(out).toMatch(/Examples:\n {2}secrets-registry blast-radius db\/app-primary --env prod/);
});
