import { App } from "cdktf";
import type { Registry } from "./lib/model";
import { type BackendSettings, removeStaleStacks, SecretsStack } from "./stacks";

async function main(): Promise<void> {
  const { registry, backends } = await chosen();
  const app = new App();
  removeStaleStacks(app.outdir, registry.environmentNames);
  for (const environment of registry.environmentNames) {
    const backend = backends[environment];
    new SecretsStack(app, environment, { registry, environment, ...(backend ? { backend } : {}) });
  }
  app.synth();
}

interface Chosen {
  readonly registry: Registry;
  readonly backends: Readonly<Record<string, BackendSettings>>;
}

/**
 * This organisation's registry, or the one that the module in `SECRETS_REGISTRY_MODULE` exports, with local state: a
 * rehearsal's. Loaded here, so that faults of the registry are shown as such and not as a crash.
 */
async function chosen(): Promise<Chosen> {
  const module = process.env.SECRETS_REGISTRY_MODULE;
  if (module) {
    const { loadRegistry } = await import("./lib/cli/registry/load-registry.js");
    return { registry: await loadRegistry(module), backends: {} };
  }
  const { registry } = await import("./registry/index.js");
  const { backends } = await import("./registry/backends.js");
  // Every environment has one, or this does not compile.
  return {
    registry,
    backends: backends satisfies Record<(typeof registry.environmentNames)[number], BackendSettings>,
  };
}

main().catch((error: unknown) => {
  const isUserFault = error instanceof Error && ["RegistryError", "UnknownNameError"].includes(error.name);
  const text = error instanceof Error ? (isUserFault ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = isUserFault ? 2 : 70;
});
