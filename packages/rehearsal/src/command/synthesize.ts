import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ServerGroup } from "../servers";

/** The program without its ending: TypeScript in a checkout, compiled where the package is installed. */
const PROGRAM = join(__dirname, "..", "synthesis", "program");

/**
 * Synthesizes every environment of a registry into the group's folder, in a process of its own: the engine is not ours to
 * load.
 *
 * @param module path of the registry's module
 * @param day by which grants are held. @default today
 * @throws ServerFault with the end of what the synthesis said
 */
export async function synthesize(module: string, day: string | undefined, group: ServerGroup): Promise<void> {
  const { folder, logFile } = group.placeFor("synthesis");
  const program = existsSync(`${PROGRAM}.ts`)
    ? [require.resolve("tsx/cli"), `${PROGRAM}.ts`]
    : [`${PROGRAM}.js`];
  const synthesis = group.startProcess({
    name: "synthesis",
    command: process.execPath,
    args: [...program, module, ...(day === undefined ? [] : [day])],
    environment: {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: folder,
      TMPDIR: folder,
      CDKTF_OUTDIR: join(folder, "cdktf.out"),
    },
    folder: process.cwd(),
    logFile,
  });
  await synthesis.whenDone();
}
