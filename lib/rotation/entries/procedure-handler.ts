import type * as z from "zod/mini";
import { jsonLog } from "../../lambda/json-log";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import type { Logbook, LogFields } from "../protocol/ports";
import { Redaction } from "../protocol/redaction";
import { RotationError } from "../protocol/rotation-error";
import { logFault } from "./log-fault";
import { readSettingsFile } from "./settings-file";

/**
 * A handler of the procedure: says in the log what was asked and what came of it, and lets nothing but our own errors
 * out.
 *
 * @param parse gives the request, or throws RotationError `event-malformed`
 */
export const procedureHandler =
  <R, O>(
    log: Logbook,
    parse: (event: unknown) => R,
    fieldsOf: (request: R) => LogFields,
    run: (request: R) => Promise<O>,
  ): LambdaHandler<O> =>
  async (event) => {
    let fields: LogFields = {};
    try {
      const request = parse(event);
      fields = fieldsOf(request);
      const outcome = await run(request);
      log.info("done", fields);
      return outcome;
    } catch (failure) {
      throw logFault(log, failure, fields);
    }
  };

/**
 * Settings of a function of the procedure, from `settings.json` beside its bundle.
 *
 * @throws RotationError `settings-malformed`
 */
export async function readProcedureSettings<S>(schema: z.ZodMiniType<S>): Promise<S> {
  const result = schema.safeParse(await readSettingsFile());
  if (result.success) return result.data;
  const paths = result.error.issues.map((issue) => issue.path.join("."));
  throw new RotationError("settings-malformed", [...new Set(paths)].join(", "));
}

/** Log of a function of the procedure. It handles no secret values, except for a token now and then. */
export const procedureLog = (
  service: string,
  { registry, environment }: { readonly registry: string; readonly environment: string },
  redaction = new Redaction(),
): Logbook => jsonLog(`secrets-registry-${service}`, { registry, environment }, redaction.redact);

/**
 * Reads an event.
 *
 * @throws RotationError `event-malformed`
 */
export const eventParser =
  <R>(schema: z.ZodMiniType<R>) =>
  (event: unknown): R => {
    const result = schema.safeParse(event);
    if (result.success) return result.data;
    const fields = result.error.issues.map((issue) => issue.path.join(".") || issue.code);
    throw new RotationError("event-malformed", `wrong or missing: ${[...new Set(fields)].join(", ")}`);
  };
