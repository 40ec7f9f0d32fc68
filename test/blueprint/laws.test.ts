import fc from "fast-check";
import { type Blueprint, blueprint, type WorkloadPlan } from "../../lib/blueprint";
import {
  compactLength,
  defineRegistry,
  type PolicyStatement,
  type Registry,
  RegistryError,
} from "../../lib/model";
import { type Draft, draft } from "../model/sample";
import { anyDefinition, reordered } from "./random-registry";

/** A registry, or nothing where the definition has faults. Anything but a RegistryError is a defect. */
function registryOf(definition: Draft): Registry | undefined {
  try {
    return defineRegistry(definition) as Registry;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

function blueprintsOf(registry: Registry): Blueprint[] {
  return registry.environmentNames.map((name) => blueprint(registry, name));
}

const documentsOf = ({ role }: WorkloadPlan) => [...role.policies.inline, ...role.policies.managed];
const statementsOf = (workload: WorkloadPlan): PolicyStatement[] =>
  documentsOf(workload).flatMap(({ document }) => document.Statement);

let valid = 0;

test("no definition makes anything but a registry or a RegistryError, and what it makes keeps the laws", () => {
  fc.assert(
    fc.property(anyDefinition, (definition) => {
      const registry = registryOf(definition);
      if (!registry) return;
      valid += 1;
      for (const plan of blueprintsOf(registry)) {
        readsExactlyItsSecrets(plan);
        holdsNoForeignWildcard(plan);
        keepsAwsLimits(plan);
        hasRulesThatEventBridgeTakes(plan);
        letsTheMirrorDoItsPartOnly(plan);
        givesEachConnectionItsOwnLogin(plan);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      }
    }),
    { numRuns: 300 },
  );
  // A generator that made faults only would prove nothing.
  expect(valid).toBeGreaterThan(100);
});

/** Least privilege: a workload's rights name the secrets that it consumes, all of them and no other. */
function readsExactlyItsSecrets(plan: Blueprint): void {
  for (const workload of plan.workloads) {
    const consumed = plan.secrets.filter((secret) => secret.consumers.includes(workload.name));
    const arns = consumed.flatMap((secret) => (secret.store === "aws" ? [secret.arnPattern] : []));
    const readable = statementsOf(workload)
      .filter(({ Sid }) => Sid === "ReadSecrets")
      .flatMap(({ Resource = [] }) => Resource);
    expect([...readable].sort()).toEqual([...arns].sort());
    const isLeased = consumed.some(({ vaultPath }) => vaultPath.includes("/creds/"));
    expect(workload.vault?.policy.rules ?? []).toEqual([
      ...consumed.map(({ vaultPath }) => ({ path: vaultPath, capabilities: ["read"] })),
      ...(consumed.length > 0 ? [{ path: "auth/token/renew-self", capabilities: ["update"] }] : []),
      ...(isLeased ? [{ path: "sys/leases/renew", capabilities: ["update"] }] : []),
    ]);
  }
}

/** A list of a pattern names something, and a pattern has 2,048 characters at most: EventBridge's quota. */
function hasRulesThatEventBridgeTakes(plan: Blueprint): void {
  const patterns = (plan.operations?.rules ?? []).flatMap(({ word, when }) =>
    "pattern" in when ? [{ word, text: JSON.stringify(when.pattern) }] : [],
  );
  expect(patterns.filter(({ text }) => text.includes("[]"))).toEqual([]);
  expect(patterns.filter(({ text }) => text.length > 2_048)).toEqual([]);
}

/**
 * Decision 8: the only wildcards are the region and six characters of a secret's ARN, and `key/*` narrowed by
 * conditions.
 */
function holdsNoForeignWildcard(plan: Blueprint): void {
  for (const workload of plan.workloads) {
    for (const statement of statementsOf(workload)) {
      expect(statement.Effect).toBe("Allow");
      expect(statement.Action.join()).not.toContain("*");
      for (const resource of statement.Resource ?? []) {
        if (statement.Sid === "ReadSecrets") {
          expect(resource).toMatch(/^arn:aws:secretsmanager:\*:\d{12}:secret:[a-z0-9/-]+-\?{6}$/);
          expect(statement.Condition?.StringEquals?.["aws:RequestedRegion"]).toEqual(plan.regions.all);
        } else {
          expect(resource).toMatch(/^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/\*$/);
          expect(Object.keys(statement.Condition?.StringEquals ?? {})).toEqual(["kms:ViaService"]);
          expect(statement.Condition?.StringLike?.["kms:EncryptionContext:SecretARN"]).toEqual([
            `arn:aws:secretsmanager:*:${plan.account}:secret:${plan.environment}/*`,
          ]);
        }
      }
    }
    for (const { path } of workload.vault?.policy.rules ?? []) expect(path).not.toMatch(/[*+]/);
    expect(JSON.stringify(workload.role.trust)).not.toContain("*");
  }
}

/** The mirror writes what somebody reads and rotates what this stack connects; the deployer comes by no value. */
function letsTheMirrorDoItsPartOnly(plan: Blueprint): void {
  const copies = plan.secrets.filter(({ store, consumers }) => store === "aws" && consumers.length > 0);
  for (const { mirror, databases, deployer } of plan.vaults) {
    const rotations = databases.flatMap(({ connections }) => connections);
    expect(mirror?.policy.rules ?? []).toEqual([
      ...copies.map(({ key }) => ({
        path: `kv-${plan.environment}/data/${key}`,
        capabilities: ["create", "read", "update"],
      })),
      ...rotations.map(({ name }) => ({
        path: `database-${plan.environment}/rotate-root/${name}`,
        capabilities: ["update"],
      })),
      ...(mirror ? [{ path: "auth/token/revoke-self", capabilities: ["update"] }] : []),
    ]);
    for (const { path } of deployer.rules) expect(path).not.toMatch(/[*+]|\/data\/|creds\/|\/rotate-/);
  }
}

/** A credential with two rotators is one that neither knows. */
function givesEachConnectionItsOwnLogin(plan: Blueprint): void {
  const connections = plan.vaults.flatMap(({ databases }) => databases.flatMap((each) => each.connections));
  const logins = connections.map(({ username, url }) => `${username} ${url}`);
  expect(new Set(logins).size).toBe(logins.length);
  const variables = connections.map(({ passwordVariable }) => passwordVariable);
  expect(new Set(variables).size).toBe(variables.length);
  for (const variable of variables) expect(variable).toMatch(/^[a-z0-9_]+$/);
  for (const role of plan.vaults.flatMap(({ databases }) => databases.flatMap(({ roles }) => roles))) {
    const statements =
      role.login === "dynamic"
        ? [...role.creationStatements, ...role.renewStatements, ...role.revocationStatements]
        : [];
    // Vault fills these in as text, so they stand in quotes, and it knows no others.
    for (const [found] of statements.join().matchAll(/.?\{\{.*?\}\}.?/g))
      expect(found).toMatch(/^("\{\{name\}\}"|'\{\{(name|password|expiration)\}\}')$/);
  }
}

function keepsAwsLimits(plan: Blueprint): void {
  for (const { role } of plan.workloads) {
    expect(role.name.length).toBeLessThanOrEqual(64);
    expect(compactLength(role.trust)).toBeLessThanOrEqual(2_048);
    expect(
      role.policies.inline.reduce((sum, { document }) => sum + compactLength(document), 0),
    ).toBeLessThanOrEqual(10_240);
    for (const { document } of role.policies.managed)
      expect(compactLength(document)).toBeLessThanOrEqual(6_144);
    expect(role.policies.managed.length).toBeLessThanOrEqual(10);
  }
}

test("a registry written in another order makes the same bytes", () => {
  fc.assert(
    fc.property(anyDefinition, (definition) => {
      const one = registryOf(definition);
      const other = registryOf(reordered(definition));
      expect(other === undefined).toBe(one === undefined);
      if (one && other) expect(JSON.stringify(blueprintsOf(other))).toBe(JSON.stringify(blueprintsOf(one)));
    }),
    { numRuns: 200 },
  );
});

test("garbage anywhere in a definition is a RegistryError", () => {
  const garbage = fc.oneof(
    fc.jsonValue(),
    fc.constant(undefined),
    fc.constant(Number.NaN),
    fc.func(fc.boolean()),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), garbage, (path, value) => {
      const definition = draft();
      let place: Draft = definition;
      for (const [step, choice] of path.entries()) {
        const names = Object.keys(place);
        const name = names[choice % names.length];
        if (name === undefined) return;
        const next = place[name];
        if (step === path.length - 1 || typeof next !== "object" || next === null) {
          place[name] = value;
          break;
        }
        place = next;
      }
      registryOf(definition);
    }),
    { numRuns: 500 },
  );
});

describe("a workload with many secrets", () => {
  function wide(count: number, prefix = "team-"): Registry {
    const definition = draft();
    definition.secrets = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `${prefix}${index % 10}/key-${String(index).padStart(7, "0")}`,
        {
          kind: "generic",
          description: "One of many",
          owner: "team",
          consumers: ["backend"],
          rotateEvery: { seconds: 86_400 * 30 },
          store: "aws",
        },
      ]),
    );
    return defineRegistry(definition) as Registry;
  }
  const backendIn = (registry: Registry): WorkloadPlan | undefined =>
    blueprint(registry, "prod").workloads.find(({ name }) => name === "backend");

  test("has inline rights while they fit", () => {
    const backend = backendIn(wide(60));
    expect(backend?.role.policies.inline).toHaveLength(1);
    expect(backend?.role.policies.managed).toHaveLength(0);
  });

  test("has managed policies of legal size beyond that, together with all its secrets", () => {
    const registry = wide(360);
    const plan = blueprint(registry, "prod");
    readsExactlyItsSecrets(plan);
    keepsAwsLimits(plan);
    expect(backendIn(registry)?.role.policies.managed.length).toBeGreaterThan(1);
  });

  test("has its agents' configurations in a ConfigMap where annotations could not carry them", () => {
    const [pod] = backendIn(wide(620))?.pods ?? [];
    expect(pod?.files).toHaveLength(620);
    expect(pod?.agentConfig?.name).toBe("acme-prod-vault-agent-backend");
    expect(pod?.annotations["vault.hashicorp.com/agent-configmap"]).toBe(pod?.agentConfig?.name);
    expect(backendIn(wide(100))?.pods[0]?.agentConfig).toBeUndefined();
  });

  test("is a fault that explains, when ten managed policies do not hold its rights", () => {
    const registry = wide(600, `${"long/".repeat(20)}team-`);
    expect(() => blueprint(registry, "prod")).toThrow(
      /workloads\.backend[\s\S]*600 secrets in prod[\s\S]*10 managed policies of 6144[\s\S]*split the workload/,
    );
  });
});
