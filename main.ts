import { App } from "cdktf";
import { blueprint } from "./lib/blueprint";
import { ClusterAccountStack, removeStaleStacks, SecretsStack } from "./stacks";

async function main(): Promise<void> {
  // Loaded here, so that faults of the registry are shown as such and not as a crash.
  const { registry: whole } = await import("./registry/index.js");
  const { backends } = await import("./registry/backends.js");
  // The one clock of a synth: grants end by it, and the same day gives the same output.
  const registry = whole.on(process.env.SECRETS_REGISTRY_DAY ?? new Date().toISOString().slice(0, 10));
  const app = new App();
  const elsewhere = registry.environmentNames.flatMap((environment) =>
    blueprint(registry, environment).clusterAccounts.map(({ account }) => ({ environment, account })),
  );
  const podsOf = ({ environment, account }: (typeof elsewhere)[number]) => `${environment}-pods-${account}`;
  removeStaleStacks(app.outdir, [...registry.environmentNames, ...elsewhere.map(podsOf)]);
  for (const environment of registry.environmentNames) {
    new SecretsStack(app, environment, { registry, environment, backend: backends[environment] });
  }
  for (const place of elsewhere) {
    new ClusterAccountStack(app, podsOf(place), { registry, ...place, backend: backends[place.environment] });
  }
  app.synth();
}

/** Ends when the stacks are written, or their faults are said. */
export const synthesized: Promise<void> = main().catch((error: unknown) => {
  const isUserFault = error instanceof Error && ["RegistryError", "UnknownNameError"].includes(error.name);
  const text = error instanceof Error ? (isUserFault ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = isUserFault ? 2 : 70;
});
