import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { UserFault } from "../terminal/user-fault";

const run = promisify(execFile);

/** A job's identity token for an audience. */
export type JobTokenSource = (audience: string) => Promise<string>;

/** Places where a job's token is looked for. */
export interface JobTokenPlaces {
  /** Name of a variable that holds a token, which was made for the one audience. */
  readonly variable?: string | undefined;
  /** Shell command that prints a token for the audience in its variable `AUDIENCE`. */
  readonly command?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A token is asked for so often; CI's own services have their moments. */
const TRIES = 4;
const COMMAND_TIMEOUT_MS = 60_000;

/**
 * Source of a job's identity token: a variable, a command, or else GitHub Actions.
 *
 * @throws UserFault where there is no such place, and when it gives none
 */
export function jobTokensOf({ variable, command, environment }: JobTokenPlaces): JobTokenSource {
  if (variable !== undefined) {
    const token = environment[variable]?.trim();
    if (!token) throw new UserFault(`The variable ${variable} holds no token.`);
    return async () => token;
  }
  if (command !== undefined) return (audience) => printedBy(command, audience, environment);
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = environment;
  if (!url || !bearer) {
    throw new UserFault(
      "This job has no identity token. In GitHub Actions give it permissions: id-token: write. In GitLab CI name the variable of its id_tokens with --token-variable. Elsewhere say with --token-command what prints a token for the audience $AUDIENCE.",
    );
  }
  return (audience) => fromGitHub(url, bearer, audience);
}

async function printedBy(
  command: string,
  audience: string,
  environment: JobTokenPlaces["environment"],
): Promise<string> {
  try {
    const { stdout } = await run("sh", ["-c", command], {
      env: { ...environment, AUDIENCE: audience } as NodeJS.ProcessEnv,
      timeout: COMMAND_TIMEOUT_MS,
    });
    const token = stdout.trim();
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token;
    throw new UserFault("What --token-command printed is no token (three parts, joined by dots).");
  } catch (failure) {
    if (failure instanceof UserFault) throw failure;
    // Not its message: that holds the command and what it printed.
    const { code, signal } = failure as { readonly code?: unknown; readonly signal?: unknown };
    throw new UserFault(`--token-command gave no token: it ended with ${String(signal ?? code)}.`);
  }
}

/** https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token */
async function fromGitHub(url: string, bearer: string, audience: string): Promise<string> {
  const { default: retry, AbortError } = await import("p-retry");
  return retry(
    async () => {
      const response = await fetch(`${url}&audience=${encodeURIComponent(audience)}`, {
        headers: { authorization: `Bearer ${bearer}`, accept: "application/json" },
        redirect: "error",
        signal: AbortSignal.timeout(10_000),
      });
      const refusal = new UserFault(`GitHub gave the job no identity token (status ${response.status}).`);
      if (response.status >= 500 || response.status === 429) throw refusal;
      if (!response.ok) throw new AbortError(refusal);
      const { value } = (await response.json()) as { readonly value?: unknown };
      if (typeof value !== "string") throw new AbortError(new UserFault("GitHub's answer holds no token."));
      return value;
    },
    { retries: TRIES - 1, minTimeout: 500 },
  ).catch((failure: unknown) => {
    if (failure instanceof UserFault) throw failure;
    const name = failure instanceof Error ? failure.name : "unknown";
    throw new UserFault(`GitHub's service of identity tokens did not answer (${name}).`);
  });
}
