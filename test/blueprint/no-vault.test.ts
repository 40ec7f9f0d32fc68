import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import { draft } from "../model/sample";
import { synthesize } from "../stacks/synthesized";

/** The sample with a Vault, without one, and without a cluster either. */
function registry(): Registry {
  const sample = draft();
  const { dev } = sample.environments;
  const { vaults: _, awsTokenIssuer: __, ...alone } = dev;
  const { vault: ___, ...cluster } = dev.clusters[0];
  const elsewhere = { ...cluster, issuer: "https://oidc.example.com/id/PLAIN", name: "plain-one" };
  for (const secret of Object.values<{ environments?: object }>(sample.secrets)) {
    const { dev: here } = (secret.environments ?? {}) as { dev?: object };
    if (here) secret.environments = { dev: here, plain: here, bare: here };
  }
  sample.secrets["db/app"].environments.plain = { settings: { host: "db.plain.example.com" } };
  sample.secrets["db/app"].environments.bare = { settings: { host: "db.bare.example.com" } };
  sample.environments = {
    dev,
    plain: { ...alone, vaults: [], clusters: [elsewhere] },
    bare: { ...alone, vaults: [], clusters: [] },
  };
  return defineRegistry(sample) as unknown as Registry;
}

const plans = { dev: blueprint(registry(), "dev"), plain: blueprint(registry(), "plain") };

test("nothing of Vault is made where there is none", () => {
  const { plain } = plans;
  expect(plain.vaults).toEqual([]);
  expect(plain.functions.map(({ bundle }) => bundle)).not.toContain("mirror");
  expect(plain.operations?.rules.map(({ word }) => word)).not.toContain("mirror-sweep");
  expect(JSON.stringify(plain)).not.toContain("--mirror");
  expect(JSON.stringify(plain)).not.toContain("GetWebIdentityToken");
  for (const { pods, vault } of plain.workloads) {
    expect(vault).toBeUndefined();
    expect(pods).toEqual([
      expect.objectContaining({ cluster: "plain-one", annotations: {}, volumes: [], files: [] }),
    ]);
  }
});

test("the dispatcher confirms, and may, where there is no mirror alone", () => {
  const dispatcherOf = ({ functions }: (typeof plans)["dev"]) =>
    functions.find(({ bundle }) => bundle === "dispatcher");
  for (const [name, confirms] of [
    ["dev", undefined],
    ["plain", true],
  ] as const) {
    const dispatcher = dispatcherOf(plans[name]);
    expect(dispatcher?.settings).toMatchObject(confirms ? { confirms } : {});
    const rights = JSON.stringify(dispatcher?.role.policies);
    expect(rights.includes('"ConfirmVersions"')).toBe(confirms === true);
    expect(rights.includes('"ReadConfirmations"')).toBe(confirms === undefined);
    const rule = plans[name].operations?.rules.find(({ word }) => word === "version-current");
    expect(JSON.stringify(rule).includes("labelUpdated")).toBe(confirms === undefined);
  }
});

test.each(["plain", "bare"])("%s is synthesized without Vault's provider", (environment) => {
  synthesize({ registry: registry(), environment }, ({ resource, ...stack }) => {
    expect(Object.keys(resource).filter((kind) => kind.startsWith("vault_"))).toEqual([]);
    expect(stack).not.toHaveProperty("provider.vault");
    const roles = Object.keys(resource.aws_iam_role).filter((name) =>
      /^secrets_(backend|payments)$/.test(name),
    );
    expect(roles.sort()).toEqual(environment === "plain" ? ["secrets_backend", "secrets_payments"] : []);
  });
});

test("a stack without its Vaults keeps the mirror: they stand in stacks of their own", () => {
  synthesize(
    { registry: registry(), environment: "dev", parts: { vaults: [], clusters: [] } },
    ({ resource }) => {
      expect(Object.keys(resource.aws_lambda_function).some((name) => name.endsWith("mirror"))).toBe(true);
    },
  );
});
