import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { admittedPods } from "../test/rehearsal/injected-pods";

/** Repository of the injector's code, unless the command line names a copy. */
const REPOSITORY = "https://github.com/hashicorp/vault-k8s";
/** Release whose webhook answers. */
const VERSION = "v1.7.6";

/**
 * Records the answers of the Vault Agent Injector's own code to pods of a registry in `test/fixtures/injected-pods.json`, against which
 * a test holds the rehearsal's picture of the injector. Needs Go, as new as that release asks for; takes minutes the first time.
 */
function record(repository: string): void {
  const folder = mkdtempSync(join(tmpdir(), "injector-"));
  try {
    execFileSync("git", ["clone", "--quiet", "--depth=1", `--branch=${VERSION}`, repository, folder]);
    mkdirSync(join(folder, "recorder"));
    copyFileSync(join(__dirname, "record-injector.go"), join(folder, "recorder/main.go"));
    const asked = admittedPods();
    const input = JSON.stringify(asked);
    const options = { cwd: folder, input, encoding: "utf8", maxBuffer: 64 << 20 } as const;
    const answers: readonly { readonly pod?: { readonly spec: object }; readonly refusal?: string }[] =
      JSON.parse(execFileSync("go", ["run", "./recorder"], options));
    const recorded = {
      from: `${REPOSITORY} ${VERSION}, Handler.Mutate of agent-inject`,
      madeBy: "npx tsx scripts/record-injector.ts",
      pods: asked.map(({ agentConfig: _, ...pod }, index) => {
        const { pod: patched, refusal } = answers[index] ?? {};
        return { ...pod, answer: patched ? { pod: { spec: patched.spec } } : { refusal } };
      }),
    };
    const file = join(__dirname, "../test/fixtures/injected-pods.json");
    writeFileSync(file, `${JSON.stringify(recorded, undefined, 1)}\n`);
    execFileSync("npx", ["biome", "format", "--write", file], { stdio: "inherit" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

record(process.argv[2] ?? REPOSITORY);
