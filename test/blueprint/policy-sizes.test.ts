import { type Blueprint, blueprint } from "../../lib/blueprint";
import { keyPolicy } from "../../lib/blueprint/keys/key-policy";
import { secretPolicy } from "../../lib/blueprint/store/secret-policy";
import { RegistryError } from "../../lib/model";
import { compactLength } from "../../lib/model/policy-document";
import { registry } from "../../registry";

const plan = blueprint(registry, "prod");

/** As long as names are. */
const roles = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, at) =>
      `arn:aws:iam::${plan.account}:role/acme/prod/acme-prod-workload-${String(at).padStart(3, "0")}`,
  );

/** The largest count that a policy can be made for. */
function room(make: (count: number) => unknown): number {
  for (let count = 1; ; count += 1) {
    try {
      make(count);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return count - 1;
    }
  }
}

const range = (lengths: readonly number[]): string => `${Math.min(...lengths)}–${Math.max(...lengths)}`;

const functionRoles = ({ functions }: Blueprint): readonly string[] => functions.map(({ role }) => role.arn);

const workloadsOfKey = (): number =>
  room((count) =>
    keyPolicy({
      scope: { partition: "aws", account: plan.account },
      environment: "prod",
      region: plan.regions.primary,
      readers: roles(count),
      makers: [plan.principals.deployer],
      makersMoveValues: false,
      writers: [
        ...plan.principals.operators,
        ...plan.principals.breakGlass,
        ...functionRoles(plan).filter((arn) => arn.includes("rotate")),
      ],
    }),
  );

const consumersOfSecret = (): number => {
  const readers = [
    ...plan.principals.operators,
    ...plan.principals.breakGlass,
    ...functionRoles(plan).slice(0, 2),
  ];
  return room((count) =>
    secretPolicy({
      key: "shared/secret",
      consumers: roles(count),
      readers,
      takers: [],
      writers: readers,
      administrators: [plan.principals.deployer, ...plan.principals.breakGlass],
      starters: functionRoles(plan).slice(0, 1),
    }),
  );
};

test("policies leave room for the workloads that the README names", () => {
  const secrets = plan.secrets.flatMap((secret) =>
    secret.store === "aws" ? [compactLength(secret.policy)] : [],
  );
  const identity = [...plan.workloads, ...plan.functions].flatMap(({ role: { policies } }) =>
    [...policies.inline, ...policies.managed].map(({ document }) => compactLength(document)),
  );
  const keys = plan.regions.all.map((region) =>
    compactLength(plan.key.policies[region] ?? { Version: "2012-10-17", Statement: [] }),
  );
  process.stdout.write(
    `policies of prod, in characters: secrets ${range(secrets)} of 20480, keys ${range(keys)} of 32768, roles ${range(identity)} of 6144 or 10240, deployer ${plan.deployer.policies.map(compactLength).join(", ")} of 6144, its boundary ${compactLength(plan.deployer.boundary)}; ` +
      `a key's policy has room for ${workloadsOfKey()} workloads, a secret's for ${consumersOfSecret()} consumers\n`,
  );
  expect(workloadsOfKey()).toBeGreaterThanOrEqual(430);
  expect(consumersOfSecret()).toBeGreaterThanOrEqual(250);
});

/** Lengths of each kind of policy of production, with AWS's limit for one. */
const KINDS: readonly (readonly [kind: string, lengths: readonly number[], limit: number])[] = (() => {
  const { operations, procedure } = plan;
  if (operations === undefined || procedure === undefined) throw new Error("no functions");
  const ofRole = ({ policies }: { readonly policies: { readonly inline: readonly Document[] } }): number =>
    policies.inline.reduce((sum, { document }) => sum + compactLength(document), 0);
  const stored = plan.secrets.flatMap((secret) => (secret.store === "aws" ? [secret] : []));
  return [
    ["roles of workloads, inline", plan.workloads.map(({ role }) => ofRole(role)), 10_240],
    ["roles of functions, inline", plan.functions.map(({ role }) => ofRole(role)), 10_240],
    ["role of the state machine", [ofRole(procedure.stateMachine.role)], 10_240],
    ["trusts", [...plan.workloads, ...plan.functions].map(({ role }) => compactLength(role.trust)), 2_048],
    ["secrets", stored.map(({ policy }) => compactLength(policy)), 20_480],
    ["inboxes", stored.flatMap(({ inbox }) => (inbox ? [compactLength(inbox.policy)] : [])), 20_480],
    [
      "keys",
      [...Object.values(plan.key.policies), operations.key.policy, procedure.auditKey.policy].flatMap(
        (policy) => (policy ? [compactLength(policy)] : []),
      ),
      32_768,
    ],
    ["bucket of records", [compactLength(procedure.records.policy)], 20_480],
    ["people", Object.values(procedure.people).map(compactLength), 6_144],
    ["deployer", [...plan.deployer.policies, plan.deployer.boundary].map(compactLength), 6_144],
  ];
})();

type Document = { readonly document: Parameters<typeof compactLength>[0] };

test.each(KINDS)("policies of production: %s are within AWS's limit", (kind, lengths, limit) => {
  const sum = lengths.reduce((all, length) => all + length, 0);
  process.stdout.write(`${kind}: ${lengths.length}, ${range(lengths)} of ${limit}, ${sum} in all\n`);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(limit);
});
