import fc from "fast-check";
import { days, hours } from "../../lib/model";
import type { Draft } from "../model/sample";

/** Definitions of any shape that the types allow, most of them with faults and many without. */

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,5})?$/);
const key = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join("/"));
const region = fc.constantFrom("eu-central-1", "eu-west-1", "us-east-1", "ap-southeast-2");

/** Key of the admin secret that every definition has. */
const ADMIN = "the/admin/of-all";
const admin = {
  kind: "generic",
  description: "Admin",
  owner: "team",
  consumers: [],
  rotateEvery: days(90),
  store: "aws",
  rotation: "operator-assisted",
};

const secretOf = (
  workloads: readonly string[],
  environments: readonly string[],
  unique: string,
): fc.Arbitrary<Draft> => {
  const common = fc.record({
    description: fc.constant("A secret"),
    owner: fc.constant("team"),
    consumers: fc.subarray([...workloads]),
    rotateEvery: fc.integer({ min: 1, max: 400 }).map(days),
    store: fc.constant("aws"),
    environments: fc.dictionary(
      fc.constantFrom(...environments),
      fc.record({ presence: fc.constantFrom("required", "optional", "absent") }),
      { maxKeys: environments.length },
    ),
  });
  const kind = fc.oneof(
    fc.constant({ kind: "hmac-key" }),
    fc.constant({ kind: "jwt-signing-key" }),
    fc.constant({ kind: "jwt-signing-key", settings: { firstKey: "supplied" } }),
    fc.constant({
      kind: "generic",
      settings: { fields: ["user", "password"], config: { zone: "a", area: "b" } },
    }),
    fc.constant({ kind: "sendgrid", admin: ADMIN, settings: { account: "sandbox" } }),
    fc.constant({ kind: "datadog", admin: ADMIN, settings: { org: "dev", serviceAccountId: "1" } }),
    fc.constant({
      kind: "postgresql-user",
      admin: ADMIN,
      settings: { host: `${unique}.example.com`, database: "app", role: "app" },
    }),
    fc.constant({
      kind: "postgresql-user",
      store: "vault",
      settings: { host: `${unique}.example.com`, database: "app", role: "app" },
    }),
  );
  return fc.tuple(common, kind).map(([shared, own]) => ({ ...shared, ...own }));
};

const environmentOf = (index: number): fc.Arbitrary<Draft> =>
  fc
    .record({
      tier: fc.constantFrom("development", "staging", "production"),
      regions: fc.uniqueArray(region, { minLength: 1, maxLength: 3 }),
      identity: fc.constantFrom("irsa", "pod-identity"),
      vaultAuth: fc.constantFrom("kubernetes", "jwt"),
      refreshEvery: fc.integer({ min: 1, max: 6 }).map(hours),
      clusters: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ tier, regions: [primary = "eu-central-1", ...replicas], clusters, ...rest }) => {
      const account = String(100_000_000_000 + index);
      return {
        tier,
        account,
        awsTokenIssuer: `https://${account}.tokens.sts.global.api.aws`,
        ...rest,
        regions: { primary, replicas },
        principals: {
          deployer: `arn:aws:iam::${account}:role/deployer`,
          operators: [`arn:aws:iam::${account}:role/operator`],
          approvers: [`arn:aws:iam::${account}:role/approver`],
        },
        vaults: [
          { name: "main", address: `https://vault${index}.example.com`, regions: [primary, ...replicas] },
        ],
        clusters: Array.from({ length: clusters }, (_, number) => ({
          name: `cluster-${number}`,
          region: primary,
          issuer: `https://oidc.example.com/${index}/${number}`,
          apiServer: "https://api.example.com",
          vault: "main",
        })),
      };
    });

const workloadOf = (environments: readonly string[]): fc.Arbitrary<Draft> =>
  fc.record({
    namespace: fc.constant("apps"),
    reload: fc.constantFrom(
      { how: "file-watch" },
      { how: "command", command: "kill -HUP 1" },
      { how: "redeploy" },
      { how: "redeploy", deployment: "web" },
    ),
    checks: fc.dictionary(
      word,
      fc.record({
        type: fc.constantFrom("health", "synthetic"),
        url: fc.constant("https://api.example.com/health"),
      }),
      { maxKeys: 2 },
    ),
    environments: fc.dictionary(
      fc.constantFrom(...environments),
      fc.record({
        checks: fc.dictionary(
          word,
          fc.record({ type: fc.constant("synthetic"), url: fc.constant("https://here.example.com/") }),
          { maxKeys: 2 },
        ),
      }),
      { maxKeys: environments.length },
    ),
  });

/** A definition. */
export const anyDefinition: fc.Arbitrary<Draft> = fc
  .record({
    workloads: fc.uniqueArray(word, { minLength: 1, maxLength: 5 }),
    environments: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
    keys: fc.uniqueArray(key, { minLength: 1, maxLength: 8 }),
  })
  .chain(({ workloads, environments, keys }) =>
    fc.record({
      id: fc.constant("acme"),
      workloads: fc
        .tuple(...workloads.map(() => workloadOf(environments)))
        .map((list) => Object.fromEntries(workloads.map((name, index) => [name, list[index]]))),
      environments: fc
        .tuple(...environments.map((_, index) => environmentOf(index)))
        .map((list) => Object.fromEntries(environments.map((name, index) => [name, list[index]]))),
      secrets: fc
        .tuple(...keys.map((_, index) => secretOf(workloads, environments, `db${index}`)))
        .map((list) => ({
          [ADMIN]: admin,
          ...Object.fromEntries(keys.map((name, index) => [name, list[index]])),
        })),
      accessRules: fc.dictionary(
        fc.constantFrom(...workloads),
        fc.record({ deny: fc.subarray(keys.map((name) => `${name.split("/")[0]}/*`)) }),
        { maxKeys: 1 },
      ),
    }),
  );

/** The same definition written in another order: of properties everywhere, and of lists whose order means nothing. */
export function reordered(value: unknown, path = ""): unknown {
  if (Array.isArray(value)) {
    const entries = value.map((entry) => reordered(entry, path));
    return /\.(consumers|replicas|operators|clusters|vaults|regions|deny|optIn)$/.test(path)
      ? entries.reverse()
      : entries;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, entry]) => [name, reordered(entry, `${path}.${name}`)]),
  );
}
