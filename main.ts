import { App } from "cdktf";
import { registry } from "./registry";
import { backends } from "./registry/backends";
import { removeStaleStacks, SecretsStack } from "./stacks";

const app = new App();

removeStaleStacks(app.outdir, registry.environmentNames);
for (const environment of registry.environmentNames) {
  new SecretsStack(app, environment, { registry, environment, backend: backends[environment] });
}

app.synth();
