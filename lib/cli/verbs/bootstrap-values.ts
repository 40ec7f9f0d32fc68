import * as z from "zod/mini";
import type { Blueprint } from "../../blueprint";
import { type Registry, UnknownNameError } from "../../model";
import { completeValue, hasInbox, type InboxSecret } from "../../rotation";
import type { RotatedPlan } from "../driver/driven-rotation";
import type { VersionLabels } from "../driver/version-labels";
import type { Terminal } from "../terminal/terminal";
import { UserFault } from "../terminal/user-fault";
import { unknownSecret } from "./find-secret";
import { askFields, faultOfSupplied, readJson, suppliedForm } from "./supplied-values";

/** A secret whose first value people supply. */
export interface AwaitedSecret {
  readonly secret: RotatedPlan;
  readonly kind: InboxSecret;
  readonly labels: VersionLabels;
}

/** `true` where an earlier run has put a value that is not proved yet. */
const isStaged = ({ labels }: AwaitedSecret): boolean => (labels.pending ?? labels.current) !== undefined;
const isNeeded = (awaited: AwaitedSecret): boolean => !isStaged(awaited);

/** The secrets without a proved value that take one from people. */
export function awaitedSecrets(
  registry: Registry,
  environment: string,
  secrets: readonly RotatedPlan[],
  labels: ReadonlyMap<string, VersionLabels>,
): readonly AwaitedSecret[] {
  return secrets.flatMap((secret) => {
    const kind = registry.secretIn(environment, secret.key);
    const stand = labels.get(secret.key);
    if (kind === undefined || stand === undefined || stand.verified || !hasInbox(kind)) return [];
    return [{ secret, kind, labels: stand }];
  });
}

/**
 * The values that people supply, by key; all of them are checked, as far as that goes without the vendor, before any
 * is put.
 *
 * @throws UserFault with everything that is missing or wrong, by names
 */
export async function suppliedValues(
  registry: Registry,
  plan: Blueprint,
  awaited: readonly AwaitedSecret[],
  valuesFrom: "stdin" | undefined,
  terminal: Terminal,
): Promise<ReadonlyMap<string, unknown>> {
  const needed = awaited.filter(isNeeded);
  if (awaited.length === 0 || (needed.length === 0 && valuesFrom === undefined && !terminal.interactive)) {
    return new Map();
  }
  const given =
    valuesFrom === "stdin"
      ? await readDocument(terminal, awaited)
      : terminal.interactive
        ? await askAll(terminal, awaited)
        : new Map<string, unknown>();
  const faults = [
    ...[...given.keys()].flatMap((key) => foreignKey(registry, plan, awaited, key)),
    ...needed
      .filter(({ secret }) => !given.has(secret.key))
      .map(({ secret, kind }) => `${secret.key}: no value. Its form: ${suppliedForm(kind)}.`),
  ];
  for (const { secret, kind } of awaited) {
    if (!given.has(secret.key)) continue;
    try {
      completeValue(kind, given.get(secret.key));
    } catch (failure) {
      faults.push(faultOfSupplied(secret.key, kind, failure));
    }
  }
  if (faults.length > 0) throw new UserFault(explain(faults, valuesFrom, terminal));
  return given;
}

function explain(faults: readonly string[], valuesFrom: "stdin" | undefined, terminal: Terminal): string {
  const how =
    valuesFrom === undefined && !terminal.interactive
      ? '\nThere is no terminal to ask at. Pipe one JSON document, {"<key>": {…}, …}, into: secrets-registry bootstrap --env <name> --values-from stdin.'
      : "";
  return `Nothing was written. Values that people supply:\n${[...faults]
    .sort()
    .map((fault) => `  ${fault}`)
    .join("\n")}${how}`;
}

async function readDocument(
  terminal: Terminal,
  awaited: readonly AwaitedSecret[],
): Promise<ReadonlyMap<string, unknown>> {
  const form = `{${awaited.map(({ secret, kind }) => `"${secret.key}": ${suppliedForm(kind)}`).join(", ")}}`;
  const document = z.record(z.string(), z.unknown()).safeParse(await readJson(terminal, form));
  if (!document.success) throw new UserFault(`Standard input holds no object by keys. It must hold ${form}.`);
  return new Map(Object.entries(document.data));
}

async function askAll(
  terminal: Terminal,
  awaited: readonly AwaitedSecret[],
): Promise<ReadonlyMap<string, unknown>> {
  const given = new Map<string, unknown>();
  for (const candidate of awaited) {
    const { secret, kind } = candidate;
    if (!isNeeded(candidate)) {
      terminal.err(`${secret.key} can go on without a value of yours. Leave all fields empty for that.\n`);
    }
    const value = await askFields(terminal, secret.key, kind);
    if (isNeeded(candidate) || Object.keys(value).length > 0) given.set(secret.key, value);
  }
  return given;
}

/**
 * Fault of a key of the document; empty: it has none. A secret that has its value by now is no fault: the command is
 * repeatable.
 */
function foreignKey(
  registry: Registry,
  { environment }: Blueprint,
  awaited: readonly AwaitedSecret[],
  key: string,
): readonly string[] {
  if (awaited.some(({ secret }) => secret.key === key)) return [];
  try {
    const found = registry.secretIn(environment, key);
    if (found === undefined) return [`${key}: ${environment} does not have it. Leave it out.`];
    return hasInbox(found) ? [] : [`${key}: its rotation makes the value. Leave it out.`];
  } catch (error) {
    if (!(error instanceof UnknownNameError)) throw error;
    return [unknownSecret(registry, key).message];
  }
}
