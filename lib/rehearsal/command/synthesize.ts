import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { ServerFault, type ServerGroup } from "../servers";

/** Tells `main.ts` of another registry. */
const REGISTRY_VARIABLE = "SECRETS_REGISTRY_MODULE";

/**
 * Synthesizes every environment of a registry into the group's folder, in a process of its own: the engine is not ours to
 * load.
 *
 * @param module path of the registry's module
 * @throws ServerFault with the end of what the synthesis said
 */
export async function synthesize(module: string, group: ServerGroup): Promise<void> {
  const { folder, logFile } = group.placeFor("synthesis");
  const checkout = packageFolder();
  const synthesis = group.startProcess({
    name: "synthesis",
    command: process.execPath,
    args: [require.resolve("tsx/cli"), join(checkout, "main.ts")],
    environment: {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: folder,
      TMPDIR: folder,
      CDKTF_OUTDIR: join(folder, "cdktf.out"),
      // This organisation's is what `main.ts` takes by itself, with its backends.
      ...(module === join(checkout, "registry") ? {} : { [REGISTRY_VARIABLE]: module }),
    },
    folder: checkout,
    logFile,
  });
  await synthesis.whenDone();
}

function packageFolder(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, "main.ts"))) {
    if (dirname(folder) === folder) throw new ServerFault(`There is no main.ts above ${__dirname}.`);
    folder = dirname(folder);
  }
  return folder;
}
