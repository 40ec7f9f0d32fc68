import { App } from "cdktf";
import { loadRegistry } from "../lib/cli/registry/load-registry";
import { SecretsStack } from "../stacks";

/** Synthesizes the stacks of another registry than this project's, with state beside them: for rehearsals. */
async function main(path: string): Promise<void> {
  const registry = await loadRegistry(path);
  const app = new App();
  for (const environment of registry.environmentNames)
    new SecretsStack(app, environment, { registry, environment });
  app.synth();
}

main(process.argv[2] ?? "registry").catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
