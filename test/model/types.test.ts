import { secretReference } from "../../lib/blueprint";
import { days, defineRegistry, type EnvironmentInput, mergeSecrets } from "../../lib/model";
import { draft } from "./sample";

/**
 * Slips that must not compile. TypeScript itself checks each `@ts-expect-error` (`npm run typecheck`): a line that
 * compiles after all is an error. At run time the same slips are faults.
 */

const { environments } = draft() as { environments: { dev: never; prod: never } };
const workloads = { backend: { namespace: "backend" }, celery: { namespace: "workers" } };
const common = { description: "x", owner: "team", rotateEvery: days(90), store: "aws" } as const;

const registry = defineRegistry({
  environments,
  workloads,
  secrets: {
    "crypto/webhook": {
      ...common,
      kind: "hmac-key",
      consumers: ["backend"],
      environments: { dev: { presence: "optional" } },
    },
    "jwt/signing": {
      ...common,
      kind: "jwt-signing-key",
      consumers: ["backend"],
      settings: { algorithm: "EdDSA" },
    },
  },
  accessRules: { celery: { deny: ["jwt/*"] } },
});

test("names are kept as literal types", () => {
  const key: "crypto/webhook" | "jwt/signing" = registry.secretKeys[0] ?? "jwt/signing";
  const environment: "dev" | "prod" = registry.environmentNames[0] ?? "dev";
  const workload: "backend" | "celery" = registry.workloadNames[0] ?? "backend";
  expect([key, environment, workload]).toEqual(["crypto/webhook", "dev", "backend"]);
  expect(registry.secret("jwt/signing").kind).toBe("jwt-signing-key");
});

test("a misspelt key, environment or workload does not compile, and is an error that lists what there is", () => {
  // @ts-expect-error a misspelt key
  expect(() => registry.secret("jwt/singing")).toThrow(
    'Unknown secret "jwt/singing". Did you mean "jwt/signing"? The registry has: crypto/webhook, jwt/signing.',
  );
  // @ts-expect-error a misspelt environment
  expect(() => registry.environment("production")).toThrow(
    'Unknown environment "production". The registry has: dev, prod.',
  );
  // @ts-expect-error a misspelt workload
  expect(() => registry.workload("back")).toThrow(
    'Unknown workload "back". The registry has: backend, celery.',
  );
  // @ts-expect-error a misspelt key of a reference
  expect(() => secretReference(registry, { environment: "prod", key: "jwt/singing" })).toThrow(
    "Unknown secret of prod",
  );
});

const parts = { environments, workloads };
const secret = { ...common, kind: "hmac-key", consumers: ["backend"] } as const;

// biome-ignore format: each directive covers one line
test.each([
  // @ts-expect-error a misspelt consumer
  () => defineRegistry({ ...parts, secrets: { "a/b": { ...secret, consumers: ["backedn"] } } }),
  // @ts-expect-error a misspelt environment
  () => defineRegistry({ ...parts, secrets: { "a/b": { ...secret, environments: { stagging: { presence: "absent" } } } } }),
  // @ts-expect-error a setting of another kind
  () => defineRegistry({ ...parts, secrets: { "a/b": { ...secret, settings: { bucket: "x" } } } }),
  // @ts-expect-error a kind that does not exist
  () => defineRegistry({ ...parts, secrets: { "a/b": { ...secret, kind: "mysql" } } }),
  // @ts-expect-error an admin credential that does not exist
  () => defineRegistry({ ...parts, secrets: { "a/b": { ...secret, admin: "a/c" } } }),
  // @ts-expect-error a workload that does not exist
  () => defineRegistry({ ...parts, secrets: { "a/b": secret }, accessRules: { frontend: { deny: ["a/*"] } } }),
  // @ts-expect-error a check in an environment that does not exist
  () => defineRegistry({ environments, workloads: { backend: { namespace: "x", environments: { porduction: { checks: { ready: "none" } } } } }, secrets: { "a/b": secret } }),
  // @ts-expect-error an environment that opts in to a secret that does not exist
  () => defineRegistry({ workloads, secrets: { "a/b": secret }, environments: { dev: { ...draft().environments.dev, optIn: ["a/c" as const] } as EnvironmentInput<"a/c"> } }),
])("a misspelt name inside a definition does not compile, and is a fault (%#)", (define) => {
  expect(define).toThrow(/The registry has 1 fault:/);
});

test("secrets of several files are merged with their names", () => {
  const merged = defineRegistry({
    environments,
    workloads,
    secrets: mergeSecrets(
      { "team-a/key": { ...common, kind: "hmac-key", consumers: ["backend"] } },
      { "team-b/key": { ...common, kind: "hmac-key", consumers: ["celery"] } },
    ),
  });
  const keys: readonly ("team-a/key" | "team-b/key")[] = merged.secretKeys;
  expect(keys).toEqual(["team-a/key", "team-b/key"]);
});
