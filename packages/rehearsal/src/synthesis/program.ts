import { App } from "cdktf";
import { loadRegistry } from "../../../../lib/cli/registry/load-registry";
import { SecretsStack } from "../../../../stacks";

/**
 * Program that synthesizes every environment of a registry, with state beside it. It runs in a process of its own: the engine
 * is no part of a rehearsal.
 */
async function main(path: string, day: string): Promise<void> {
  const registry = await loadRegistry(path, day);
  const app = new App();
  for (const environment of registry.environmentNames)
    new SecretsStack(app, environment, { registry, environment });
  app.synth();
}

main(process.argv[2] ?? "registry", process.argv[3] ?? new Date().toISOString().slice(0, 10)).catch(
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
