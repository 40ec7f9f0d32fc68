import type { CheckerSettings } from "../../contracts/function-settings";
import type { CheckerAnswer, CheckerEvent, CheckResult } from "../../contracts/procedure-events";
import { originOf } from "../../lambda/failure-origin";
import type { Clock, Logbook } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { HttpServer } from "../targets/http-credential-check";

/**
 * Some checks did not pass. Its text names them and their statuses, never what a body held: a page that fails may show
 * anything. The name is what the state machine matches.
 */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";

  constructor(readonly results: readonly CheckResult[]) {
    const failed = results.filter(({ outcome }) => outcome === "failed");
    super(failed.map(({ name, status }) => `${name}: ${status ?? "no answer"}`).join(", "));
  }
}

/** A check of the settings. */
type Check = CheckerSettings["checks"][string];

/** Ports of the checker. */
export interface CheckerContext {
  readonly settings: CheckerSettings;
  /** Server of a check's URL, which has that long to answer. */
  readonly http: (timeoutMs: number) => HttpServer;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logbook;
}

/**
 * Runs HTTPS checks, all of them at once and to their end, whatever the first ones come to. One GET each; a redirect is an
 * answer like any other and is not followed.
 *
 * @throws CheckFailed; RotationError `settings-malformed` for a check that it does not know
 */
export async function runChecks(
  { Checks, Secret, Version, InUse = false }: CheckerEvent,
  context: CheckerContext,
): Promise<CheckerAnswer> {
  const { settings, log } = context;
  const unknown = Checks.filter((name) => settings.checks[name] === undefined);
  if (unknown.length > 0) throw new RotationError("settings-malformed", `no checks ${unknown.join(", ")}`);
  const results = await Promise.all(
    Checks.flatMap((name) => {
      const check = settings.checks[name];
      return check === undefined ? [] : [resultOf(name, check, InUse ? Version : undefined, context)];
    }),
  );
  for (const { name, outcome, status, ms } of results) {
    log.info("checked", { check: name, outcome, status, ms, secret: Secret, version: Version });
  }
  if (results.some(({ outcome }) => outcome === "failed")) throw new CheckFailed(results);
  return { passed: true, results };
}

/** @param version that the application must have in use; `undefined`: it may have another one still */
async function resultOf(
  name: string,
  { url, type, status: wanted, contains, reports, timeout }: Check,
  version: string | undefined,
  { http, clock, log }: CheckerContext,
): Promise<CheckResult> {
  const from = clock.now().getTime();
  try {
    const { status, body } = await http(timeout.seconds * 1_000).send({
      url,
      method: "GET",
      headers: {},
      caPem: undefined,
    });
    const isOther = reports === "version" && version !== undefined && !body.includes(version);
    if (isOther) log.warn("the application does not name the version", { check: name, version });
    const passed = status === wanted && (contains === undefined || body.includes(contains)) && !isOther;
    return {
      name,
      type,
      url,
      status,
      outcome: passed ? "passed" : "failed",
      ms: clock.now().getTime() - from,
    };
  } catch (failure) {
    const code = failure instanceof RotationError ? failure.code : originOf(failure);
    log.warn("no answer", { check: name, code });
    return { name, type, url, outcome: "failed", ms: clock.now().getTime() - from };
  }
}
