import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  buildCommandBreaches,
  checkStack,
  credentialLines,
  dockerfileBreaches,
  type GuardrailFinding,
  GuardrailSettingsError,
  isDockerfile,
  isYaml,
  parseGuardrailFile,
  type SuppressedFindings,
  suppress,
  yamlBuildBreaches,
} from "../../guardrails";
import { isRecord } from "../../model/is-record";
import { filesBelow } from "../scan/scanned-files";
import { gitleaksFindings, secretlintScanner } from "../scan/secret-scanners";
import { UserFault } from "../terminal/user-fault";

/** Result of a scan. No text of it holds a value. */
export interface ScanReport extends SuppressedFindings {
  /** Number of files that were read. */
  readonly files: number;
  /** Files that were not: binary ones, and very large ones. */
  readonly skipped: readonly string[];
  /** Scanners that ran. */
  readonly scanners: readonly string[];
}

/** Input of {@link scan}. */
export interface ScanProps {
  /** Folder from which paths are meant. */
  readonly cwd: string;
  readonly paths: readonly string[];
  /** Day by which suppressions hold, in UTC. */
  readonly on: string;
  /** File with suppressions and settings. @default `guardrails.json` in `cwd`, where there is one */
  readonly settings?: string;
}

/** Looks for secrets in files and for breaches of the guardrails in synthesized stacks. @throws UserFault */
export async function scan({ cwd, paths, on, settings }: ScanProps): Promise<ScanReport> {
  const missing = paths.filter((path) => !existsSync(join(cwd, path)));
  if (missing.length > 0) throw new UserFault(`No such file or folder: ${missing.join(", ")}`);
  const { suppressions = [], accounts, accessRules } = settingsIn(cwd, settings);
  const { files, skipped } = filesBelow(cwd, paths);
  const secretlint = await secretlintScanner();
  const found: GuardrailFinding[] = [];
  for (const path of files) {
    const text = readFileSync(join(cwd, path), "utf8");
    const lines = await secretlint(path, text);
    const at = new Set(lines.map((finding) => finding.at));
    found.push(
      ...lines,
      // One credential, one finding.
      ...credentialLines(path, text).filter((finding) => !at.has(finding.at)),
      ...buildBreaches(path, text),
    );
    const stack = path.endsWith("cdk.tf.json") ? stackIn(text) : undefined;
    if (stack) {
      const own = checkStack(stack, {
        ...(accounts ? { accounts } : {}),
        ...(accessRules ? { accessRules } : {}),
      });
      found.push(...own.map((finding) => ({ ...finding, file: path })));
    }
  }
  const leaks = gitleaksFindings(cwd, paths, new Set(files));
  found.push(...(leaks ?? []));
  return {
    ...suppress(found, suppressions, on),
    files: files.length,
    skipped,
    scanners: ["guardrails", "secretlint", ...(leaks === undefined ? [] : ["gitleaks"])],
  };
}

const buildBreaches = (path: string, text: string): readonly GuardrailFinding[] => [
  ...(isDockerfile(path) ? dockerfileBreaches(path, text) : []),
  ...(isYaml(path) ? yamlBuildBreaches(path, text) : []),
  ...(/\.md$/.test(path) ? [] : buildCommandBreaches(path, text)),
];

function stackIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function settingsIn(cwd: string, given: string | undefined): ReturnType<typeof parseGuardrailFile> {
  const path = join(cwd, given ?? "guardrails.json");
  if (!existsSync(path)) {
    if (given !== undefined) throw new UserFault(`No such file: ${given}`);
    return {};
  }
  try {
    return parseGuardrailFile(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (error instanceof GuardrailSettingsError) throw new UserFault(`${path}:\n${error.message}`);
    if (error instanceof SyntaxError) throw new UserFault(`${path} is not JSON`);
    throw error;
  }
}
