import { App } from "cdktf";
import { blueprint } from "../../lib/blueprint";
import { SecretsStack } from "../../stacks";
import { finish, phase } from "./measured-phases";
import { registrySizes, sizedRegistry } from "./sized-registry";

const [secrets = "10", outdir = ""] = process.argv.slice(2);

phase("load");
const registries = registrySizes(Number(secrets)).map((size, n) => sizedRegistry(`acme${n}`, size));
phase("define");
for (const registry of registries) blueprint(registry, "prod");
phase("blueprint");
const app = new App({ outdir });
for (const registry of registries) new SecretsStack(app, registry.id, { registry, environment: "prod" });
phase("constructs");
app.synth();
phase("synth");
finish();
