import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildOnce } from "./build-once";
import { defaultCacheFolder, type ProvisionOptions, pip, provision } from "./provision";
import { runCommand } from "./run-command";
import { ServerFault } from "./server-fault";

const REQUIREMENTS = join(__dirname, "requirements-ocsf.txt");

/** JSON Schemas (2020-12) of classes of events, by the class's number. */
export type OcsfSchemas = Readonly<Record<3004 | 6003, object>>;

/** Writes what the package makes of the framework's definitions. It refuses fields that no profile has. */
const SCRIPT = `
import json, sys
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
version, folder = sys.argv[1:]
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
for number, name in ((3004, "entity_management"), (6003, "api_activity")):
    with open(f"{folder}/{number}.json", "w") as file:
        json.dump(schema.get_class_schema(name, ["cloud", "datetime"]), file)
`;

/**
 * The framework's schemas of the events that the audit trail writes, made from its own definitions (PyPI `ocsf-json-schema`) and kept
 * in the cache: later calls need neither Python nor network.
 *
 * @param version of the framework, such as `1.5.0`
 * @throws ServerFault when the package cannot be installed
 */
export async function ocsfSchemas(version: string, options: ProvisionOptions = {}): Promise<OcsfSchemas> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder();
  const requirements = await readFile(REQUIREMENTS, "utf8");
  const digest = createHash("sha256")
    .update(JSON.stringify([requirements, SCRIPT, version]))
    .digest("hex");
  const folder = join(cacheFolder, `ocsf-${version}-${digest.slice(0, 16)}`);
  await buildOnce({
    folder,
    ...(options.onProgress && { onProgress: options.onProgress }),
    build: async (scratch) => {
      options.onProgress?.(`Installing OCSF's schemas into ${folder} (first use, about 1 MB to download).`);
      const { python } = await provision(options);
      await pip(python, ["--target", join(scratch, "package"), "--requirement", REQUIREMENTS]);
      const made = await runCommand(python, ["-c", SCRIPT, version, scratch], {
        environment: { PYTHONPATH: join(scratch, "package") },
      });
      if (made.code !== 0) throw new ServerFault(`OCSF's schemas could not be made: ${made.stderr.trim()}`);
    },
  });
  const [changes, activity] = await Promise.all(
    [3004, 6003].map(
      async (number): Promise<object> => JSON.parse(await readFile(join(folder, `${number}.json`), "utf8")),
    ),
  );
  return { 3004: changes ?? {}, 6003: activity ?? {} };
}
