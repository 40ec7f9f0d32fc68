import * as z from "zod/mini";
import { runCommand } from "./run-command";
import { ServerFault } from "./server-fault";

/** Names an interpreter, instead of looking for one. */
const PYTHON_VARIABLE = "SECRETS_REGISTRY_PYTHON";

/** The oldest version that the embedded AWS runs on. */
const OLDEST = { major: 3, minor: 10 };
const CANDIDATES = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/** Printed by the interpreter itself; importing `ensurepip` fails where Debian has split it off. */
const QUESTION = `
import json, sys, sysconfig
try:
    import ensurepip, venv
    can_make = True
except ImportError:
    can_make = False
print(json.dumps({"executable": sys.executable, "version": list(sys.version_info[:3]),
                  "platform": sysconfig.get_platform(), "canMakeEnvironments": can_make}))
`;

const Answer = z.object({
  executable: z.string().check(z.minLength(1)),
  version: z.tuple([z.number(), z.number(), z.number()]),
  platform: z.string().check(z.minLength(1)),
  canMakeEnvironments: z.boolean(),
});

function parseAnswer(text: string): z.infer<typeof Answer> | undefined {
  try {
    return Answer.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A Python that can make virtual environments. */
export interface Python {
  readonly executable: string;
  /** `3.11.7`. */
  readonly version: string;
  /** As wheels are tagged, roughly: `linux-x86_64`. */
  readonly platform: string;
}

/**
 * Looks for a Python that the embedded servers run on.
 *
 * @throws ServerFault that lists what was found and says what to install
 */
export async function findPython(environment: NodeJS.ProcessEnv): Promise<Python> {
  const named = environment[PYTHON_VARIABLE];
  const findings: string[] = [];
  for (const candidate of named ? [named] : CANDIDATES) {
    const found = await inspect(candidate, environment);
    if (typeof found !== "string") return found;
    findings.push(`  ${candidate}: ${found}`);
  }
  throw new ServerFault(
    [
      `The embedded servers need Python ${OLDEST.major}.${OLDEST.minor} or newer with the modules venv and ensurepip; there is none:`,
      ...findings,
      "Install it (Debian, Ubuntu: apt install python3-venv; Fedora: dnf install python3; macOS: brew install python),",
      `or set ${PYTHON_VARIABLE} to the path of an interpreter.`,
    ].join("\n"),
  );
}

async function inspect(candidate: string, environment: NodeJS.ProcessEnv): Promise<Python | string> {
  const result = await runCommand(candidate, ["-c", QUESTION], { environment });
  if (result.code !== 0) return result.stderr.trim().split("\n")[0] || `exit code ${result.code}`;
  const answer = parseAnswer(result.stdout);
  if (!answer) return "it runs, but its answer is not Python's";
  const { executable, version, platform, canMakeEnvironments } = answer;
  const [major, minor] = version;
  if (major !== OLDEST.major || minor < OLDEST.minor) return `version ${version.join(".")}, too old`;
  if (!canMakeEnvironments) return `version ${version.join(".")} without venv or ensurepip`;
  return { executable, version: version.join("."), platform };
}
