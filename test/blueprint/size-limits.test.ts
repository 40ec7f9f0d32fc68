import { accountRoles, blueprint } from "../../lib/blueprint";
import { validate } from "../../lib/cli/verbs/validate";
import { defineRegistry, type Registry, RegistryError } from "../../lib/model";
import { type Draft, draft } from "../model/sample";

/** Registries that grow until a server would refuse what is made of them: each limit is a fault before that. */
const grown = (change: (definition: Draft) => void): Registry => {
  const definition = draft();
  change(definition);
  return defineRegistry(definition) as unknown as Registry;
};

const numbered = (count: number, word: string): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${word}-${n}`);

const hmacKey = (consumers: readonly string[]) => ({ ...draft().secrets["crypto/webhook"], consumers });

const faultsOf = (make: () => unknown) => {
  try {
    make();
    return [];
  } catch (error) {
    if (error instanceof RegistryError) return error.faults;
    throw error;
  }
};

describe("a policy in Vault's storage", () => {
  /** Bound by names, the deployer's policy names neither secrets nor their paths, so the mirror's is the first to outgrow an entry. */
  const withSecrets = (count: number): Registry =>
    grown((definition) => {
      for (const vault of definition.environments.prod.vaults)
        Object.assign(vault, { namespace: "prod", deployer: "names" });
      const readers = numbered(300, "app");
      for (const name of readers) definition.workloads[name] = { namespace: "apps" };
      const long = "x".repeat(140);
      for (const [n, key] of numbered(count, `crypto/${long}`).entries())
        definition.secrets[key] = hmacKey([readers[n % readers.length] ?? ""]);
    });
  const ofVault = (count: number) =>
    faultsOf(() => blueprint(withSecrets(count), "prod")).filter(({ path }) => path.includes("vaults"));

  test("of the mirror is a fault before an entry of Raft is full, and says how to go on", () => {
    const faults = ofVault(5_200);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      path: "environments.prod.vaults[0]",
      found: expect.stringMatching(/the policy acme-prod--mirror has 1\d{6} bytes in Vault's storage$/),
      allowed: "1048576 bytes in one entry (Raft; half of that in Consul)",
    });
    expect(ofVault(1_000)).toEqual([]);
  }, 60_000);
});

describe("IAM roles of an account (quota L-FE177D64)", () => {
  const WORKLOADS = 400;
  /** Environments of one account, each with a role for each of the workloads. */
  const withEnvironments = (count: number): Registry =>
    grown((definition) => {
      const { dev } = definition.environments;
      const names = numbered(count, "env");
      definition.environments = Object.fromEntries(
        names.map((name, n) => [
          name,
          JSON.parse(JSON.stringify(dev).replaceAll("dev.example", `${name}.example`), (key, value) =>
            key === "issuer" ? `https://oidc.example.com/id/${n}` : value,
          ),
        ]),
      );
      definition.accessRules = undefined;
      const workloads = numbered(WORKLOADS, "app");
      definition.workloads = Object.fromEntries(workloads.map((name) => [name, { namespace: "apps" }]));
      definition.secrets = {
        "crypto/one": hmacKey(workloads.slice(0, WORKLOADS / 2)),
        "crypto/two": hmacKey(workloads.slice(WORKLOADS / 2)),
      };
    });

  test("below the quota nothing is said; beyond it, that it must be raised; beyond what AWS gives, a fault", () => {
    expect(validate(withEnvironments(2))).toMatchObject({ valid: true, faults: [], advice: [] });
    const raised = validate(withEnvironments(3));
    expect(raised.valid).toBe(true);
    expect(raised.advice).toEqual([
      expect.stringMatching(
        /^env-0, env-1, env-2 make 12\d\d IAM roles in account 111122223333; .*L-FE177D64, at most 5000/,
      ),
    ]);
    const all = withEnvironments(13);
    expect(validate(all)).toMatchObject({
      valid: false,
      faults: [
        {
          path: 'environments["env-0"].account',
          found: expect.stringMatching(/make 5\d\d\d IAM roles$/),
          allowed: expect.stringContaining("5000 roles in an account"),
        },
      ],
    });
    // Another account has a quota of its own.
    expect(accountRoles(all, all.environmentNames.slice(0, 2))).toEqual({ faults: [], advice: [] });
  }, 120_000);
});
