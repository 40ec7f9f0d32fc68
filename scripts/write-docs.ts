import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedPages } from "./docs/generated-pages";

/** Writes the pages of `docs/reference` that are made from the code. `test/docs/generated-pages.test.ts` holds them up to date. */
async function main(): Promise<void> {
  for (const [path, text] of await generatedPages()) {
    const file = join(__dirname, "..", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`${path}\n`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 70;
});
