import { spawnSync } from "node:child_process";
import { join, relative, sep } from "node:path";
import { credentialIn, type GuardrailFinding } from "../../guardrails";
import { UserFault } from "../terminal/user-fault";

/** Finds credentials in one text. */
export type TextScanner = (path: string, text: string) => Promise<readonly GuardrailFinding[]>;

/** The built-in scanner: secretlint with its recommended rules. Its messages are not used: they quote. */
export async function secretlintScanner(): Promise<TextScanner> {
  const [{ lintSource }, { creator }] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
  ]);
  const config = { rules: [{ id: "@secretlint/secretlint-rule-preset-recommend", rule: creator }] };
  return async (path, text) => {
    const { messages } = await lintSource({
      source: { filePath: path, content: text, contentType: "text" },
      options: { config, maskSecrets: true },
    });
    return messages.map(({ loc, messageId, ruleId }) =>
      credentialIn(
        path,
        loc.start.line,
        `a credential of the form ${messageId}`,
        ruleId.replace("@secretlint/secretlint-rule-", "secretlint "),
      ),
    );
  };
}

/** One finding of gitleaks, of which the secret and its line's text are not read. */
interface Leak {
  readonly RuleID: string;
  readonly File: string;
  readonly StartLine: number;
}

/**
 * Findings of gitleaks in files below paths; `undefined` where it is not on the `PATH`.
 *
 * https://github.com/gitleaks/gitleaks#usage
 *
 * @throws UserFault where it is and fails
 */
export function gitleaksFindings(
  cwd: string,
  paths: readonly string[],
  files: ReadonlySet<string>,
): readonly GuardrailFinding[] | undefined {
  if (spawnSync("gitleaks", ["version"]).error) return undefined;
  return startsOf(paths, files).flatMap((path) => {
    const { status, stdout, stderr } = spawnSync(
      "gitleaks",
      [
        "dir",
        path,
        "--report-format=json",
        "--report-path=-",
        "--redact=100",
        "--no-banner",
        "--exit-code=0",
      ],
      { cwd, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
    );
    if (status !== 0) throw new UserFault(`gitleaks ended with ${status}: ${stderr.slice(-500)}`);
    const leaks = JSON.parse(stdout || "[]") as readonly Leak[];
    return leaks
      .map((leak) => ({ ...leak, file: relative(cwd, join(cwd, leak.File)).split(sep).join("/") }))
      .filter(({ file }) => files.has(file))
      .map(({ file, RuleID, StartLine }) =>
        credentialIn(file, StartLine, "a credential", `gitleaks ${RuleID}`),
      );
  });
}

/** Paths in place of this folder, so that what git ignores beside them, such as `node_modules`, costs no time. */
const startsOf = (paths: readonly string[], files: ReadonlySet<string>): readonly string[] =>
  paths.flatMap((path) =>
    path === "." ? [...new Set([...files].map((file) => file.split("/")[0] ?? file))] : [path],
  );
