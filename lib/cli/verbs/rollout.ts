import type { Registry } from "../../model";
import { isSupplied } from "../../rotation";
import { UserFault } from "../terminal/user-fault";
import type { RotationHost } from "./direct-rotation";
import { unknownSecret } from "./find-secret";
import { rotateByProcedure } from "./procedure-rotation";
import type { ProcedureOptions } from "./procedure-stage";
import type { ProcedureReport } from "./procedure-work";
import { readJson, suppliedForm } from "./supplied-values";

/** Options of a rollout. */
export interface RolloutOptions extends Pick<ProcedureOptions, "change" | "valueFrom" | "emergency" | "yes"> {
  /** @default every environment that has the secret */
  readonly environments?: readonly string[] | undefined;
}

/** Progress of a rollout. */
export interface RolloutReport {
  readonly secret: string;
  /** Environments in the registry's order: development, staging, production. */
  readonly environments: readonly ProcedureReport[];
  /** Environments that were not begun, because one before them did not verify. */
  readonly left: readonly string[];
}

/** `true` when the rotation of an environment is behind it. */
export const isThrough = ({ outcome }: Pick<ProcedureReport, "outcome">): boolean =>
  outcome === "done" || outcome === "already-done";

/**
 * Values for each environment on standard input: no two of them share a credential. Checked before anything is begun.
 *
 * @throws UserFault that quotes nothing of it
 */
async function suppliedIn(
  registry: Registry,
  key: string,
  wanted: readonly string[],
  { terminal }: RotationHost,
): Promise<Readonly<Record<string, unknown>>> {
  const fields = wanted.flatMap((environment) => {
    const secret = registry.secretIn(environment, key);
    return secret !== undefined && isSupplied(secret) ? [{ environment, form: suppliedForm(secret) }] : [];
  });
  if (fields.length === 0) return {};
  const form = `{${fields.map(({ environment, form }) => `"${environment}": ${form}`).join(", ")}}`;
  const input: unknown = await readJson(terminal, form);
  const given = typeof input === "object" && input !== null ? Object.keys(input) : [];
  const missing = fields.filter(({ environment }) => !given.includes(environment));
  if (missing.length === 0) return input as Readonly<Record<string, unknown>>;
  throw new UserFault(
    `Standard input has no value for ${missing.map(({ environment }) => environment).join(", ")}. A rollout takes one for each environment: ${form}. Or name the environments that it is for with --env.`,
  );
}

/**
 * Rotates a secret in one environment after the other, and stops at the first that does not come to its good end. Run
 * again with the same change request, it goes on there.
 *
 * @throws UserFault and UnknownNameError
 */
export async function rollout(
  registry: Registry,
  key: string,
  { environments, ...options }: RolloutOptions,
  host: RotationHost,
): Promise<RolloutReport> {
  if (!registry.secretKeys.includes(key)) throw unknownSecret(registry, key);
  for (const name of environments ?? []) registry.environment(name);
  const wanted = registry.environmentNames.filter(
    (name) => registry.secretIn(name, key) !== undefined && (environments?.includes(name) ?? true),
  );
  const supplied = options.valueFrom === "stdin" ? await suppliedIn(registry, key, wanted, host) : {};
  const reports: ProcedureReport[] = [];
  for (const environment of wanted) {
    const value = Object.hasOwn(supplied, environment) ? { supplied: supplied[environment] } : {};
    const report = await rotateByProcedure(registry, key, { environment, ...options, ...value }, host);
    reports.push(report);
    if (!isThrough(report)) break;
  }
  return { secret: key, environments: reports, left: wanted.slice(reports.length) };
}
