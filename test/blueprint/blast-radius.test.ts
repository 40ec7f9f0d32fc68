import fc from "fast-check";
import { accessOf, blastRadius, environmentsWith } from "../../lib/blueprint";
import { defineRegistry, type Registry, RegistryError } from "../../lib/model";
import { registry as acme } from "../../registry";
import { type Draft, draft, genericPassword, vaultDatabase } from "../model/sample";
import { anyDefinition, reordered } from "./random-registry";

const define = (change: (d: Draft) => void): Registry => {
  const definition = draft();
  change(definition);
  return defineRegistry(definition) as Registry;
};

function soundRegistry(definition: Draft): Registry | undefined {
  try {
    return defineRegistry(definition) as Registry;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

test("db/app-primary names every consumer in every region", () => {
  const radius = blastRadius(acme, "prod", "db/app-primary");
  const regions = ["eu-central-1", "eu-west-1", "us-east-1"];
  const clusters = [
    { name: "prod-eu-central", region: "eu-central-1", vault: "eu-central" },
    { name: "prod-eu-west", region: "eu-west-1", vault: "eu-west" },
  ];
  const files = [{ path: "/vault/secrets/db/app-primary.json", format: "json" }];
  expect(radius).toMatchObject({
    secret: "db/app-primary",
    environment: "prod",
    regions,
    consumers: [
      { workload: "backend", namespace: "backend", serviceAccount: "backend", regions, clusters, files },
      { workload: "celery", namespace: "workers", serviceAccount: "celery", regions, clusters, files },
    ],
    reload: [
      { workload: "backend", how: "file-watch", restarts: false },
      { workload: "celery", how: "redeploy", controller: "Deployment", deployment: "celery", restarts: true },
    ],
    vaults: [
      { name: "eu-central", regions: ["eu-central-1", "us-east-1"] },
      { name: "eu-west", regions: ["eu-west-1"] },
    ],
    target: { host: "db.prod.example.com", port: 5432, database: "app" },
    overlapHours: 8,
    publishLeadHours: 0,
    refreshHours: 6,
    dependents: [],
    unwatched: [],
    changeRequest: "required",
    approval: "required",
  });
  expect(radius.checks).toContainEqual({
    workload: "backend",
    name: "ready",
    type: "health",
    url: "https://api.example.com/health/ready",
    status: 200,
    contains: "ok",
    timeout: { seconds: 10 },
  });
});

test("an admin secret names all that is rotated with it, through every step of the chain", () => {
  const registry = define((d) => {
    const admin = d.secrets["admin/db"];
    d.secrets["admin/root"] = { ...admin, description: "Makes the admins" };
    // People supply a generic one; this one rotates, so that it needs an admin itself.
    d.secrets["admin/db"] = {
      ...d.secrets["db/app"],
      description: "Makes logins",
      consumers: [],
      admin: "admin/root",
      settings: { database: "app", role: "admin" },
    };
    d.secrets["db/reports"] = { ...d.secrets["db/app"], settings: { database: "app", role: "reports" } };
    d.secrets["db/jobs"] = {
      ...d.secrets["db/app"],
      consumers: ["payments"],
      settings: { database: "app", role: "jobs" },
    };
  });
  const consumers = ["backend"];
  expect(blastRadius(registry, "prod", "admin/db").dependents).toEqual([
    { secret: "db/app", chain: ["admin/db", "db/app"], consumers },
    { secret: "db/jobs", chain: ["admin/db", "db/jobs"], consumers: ["payments"] },
    { secret: "db/reports", chain: ["admin/db", "db/reports"], consumers },
  ]);
  const root = blastRadius(registry, "prod", "admin/root");
  expect(root.dependents.map(({ chain }) => chain.join(" → "))).toEqual([
    "admin/root → admin/db",
    "admin/root → admin/db → db/app",
    "admin/root → admin/db → db/jobs",
    "admin/root → admin/db → db/reports",
  ]);
  expect(root).toMatchObject({ consumers: [], vaults: [], reload: [], checks: [] });
  expect(root.breaks).toContain("No workload notices");
});

test.each([
  ["db/app", "target", "by the target", /Until decommission the old credential works/],
  ["crypto/webhook", "own-workloads", "by the consumers", /every consumer accepts the former key too/],
  ["pass/word", "single-slot", "by nobody twice", /None: the old credential died/],
  ["db/ro", "target", "by Vault", /live until their leases end/],
])("the way back of %s (accepted by %s, %s)", (key, acceptedBy, _who, rollback) => {
  const registry = define((d) => {
    d.secrets["pass/word"] = genericPassword();
    d.secrets["db/ro"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
  });
  const radius = blastRadius(registry, "prod", key);
  expect(radius.acceptedBy).toBe(acceptedBy);
  expect(radius.rollback).toMatch(rollback);
  expect(radius.overlapHours === 0).toBe(acceptedBy === "single-slot");
});

test("a key that signs is published before it is used, and its public half is a file of its own", () => {
  const radius = blastRadius(acme, "prod", "jwt/signing");
  expect(radius).toMatchObject({ rotation: "manual-dual-publish", publishLeadHours: 8, overlapHours: 10 });
  expect(radius.consumers[0]?.files).toEqual([
    { path: "/vault/secrets/jwt/signing.json", format: "json" },
    { path: "/vault/secrets/jwt/signing.jwks.json", format: "public" },
  ]);
});

test("checks and Deployments differ per environment, and consumers that nothing watches are named", () => {
  const registry = define((d) => {
    d.workloads.backend = {
      namespace: "backend",
      delivery: { how: "patch", deployment: "api" },
      reload: { how: "redeploy" },
      checks: { ready: { type: "health", status: 204, url: "https://example.com/ready" } },
      environments: {
        dev: { checks: { ready: "none" } },
        prod: { checks: { buy: { type: "synthetic", url: "https://example.com/buy" } } },
      },
    };
  });
  expect(blastRadius(registry, "dev", "db/app")).toMatchObject({ checks: [], unwatched: ["backend"] });
  const prod = blastRadius(registry, "prod", "db/app");
  expect(prod.checks.map(({ name, status }) => [name, status])).toEqual([
    ["buy", 200],
    ["ready", 204],
  ]);
  expect(prod.reload).toEqual([
    { workload: "backend", how: "redeploy", controller: "Deployment", deployment: "api", restarts: true },
  ]);
});

test("a registry says by itself where changes need a request and an approval", () => {
  const wanted = { dev: ["none", "none"], stage: ["required", "none"], prod: ["required", "required"] };
  for (const [environment, both] of Object.entries(wanted)) {
    const { changeRequest, approval } = blastRadius(acme, environment as "dev", "redis/app");
    expect([changeRequest, approval]).toEqual(both);
  }
  const registry = define((d) => {
    Object.assign(d.environments.dev, {
      changeRequest: "required",
      changes: { repository: "acme/infrastructure" },
      approval: "required",
    });
    d.environments.dev.principals.ci = "arn:aws:iam::111122223333:role/ci";
    d.environments.prod.approval = "none";
  });
  expect(blastRadius(registry, "dev", "db/app")).toMatchObject({
    changeRequest: "required",
    approval: "required",
  });
  expect(blastRadius(registry, "prod", "db/app").approval).toBe("none");
});

test("an unknown key and an environment without the secret are named", () => {
  expect(() => blastRadius(acme as unknown as Registry, "prod", "jwt/singing")).toThrow(
    'Did you mean "jwt/signing"?',
  );
  expect(() => blastRadius(acme, "dev", "db/reporting-ro")).toThrow(
    'Unknown secret of dev "db/reporting-ro"',
  );
  expect(environmentsWith(acme, "db/reporting-ro")).toEqual(["stage", "prod"]);
});

test("consumers are the access matrix's column, and chains are made of admins, for any registry", () => {
  let dependents = 0;
  fc.assert(
    fc.property(anyDefinition, (definition) => {
      const registry = soundRegistry(definition);
      const other = soundRegistry(reordered(definition));
      if (!registry || !other) return;
      for (const environment of registry.environmentNames) {
        const rows = accessOf(registry, environment);
        for (const { key } of registry.secretsIn(environment)) {
          const radius = blastRadius(registry, environment, key);
          expect(
            radius.consumers.map(({ workload, namespace, serviceAccount, regions }) => ({
              workload,
              namespace,
              serviceAccount,
              regions,
            })),
          ).toEqual(
            rows
              .filter((row) => row.secret === key)
              .map(({ workload, namespace, serviceAccount, regions }) => ({
                workload,
                namespace,
                serviceAccount,
                regions,
              })),
          );
          expect(radius.reload.map(({ workload }) => workload)).toEqual(
            radius.consumers.map(({ workload }) => workload),
          );
          for (const { secret, chain } of radius.dependents) {
            dependents += 1;
            expect([chain[0], chain.at(-1)]).toEqual([key, secret]);
            for (const [index, step] of chain.slice(1).entries())
              expect(registry.secretIn(environment, step)?.admin).toBe(chain[index]);
          }
          expect(JSON.stringify(blastRadius(other, environment, key))).toBe(JSON.stringify(radius));
        }
      }
    }),
    { numRuns: 100 },
  );
  expect(dependents).toBeGreaterThan(20);
});
