import { formatDuration } from "../model";
import { isSameJson } from "../model/is-same-json";
import type { PairedSecrets } from "./pair-secrets";
import { RISKS, type Risk, type RiskKind } from "./preview";
import type { SecretState } from "./registry-state";
import { word, words } from "./word";

/** A risk with its place in the verdict. */
export const risk = (kind: RiskKind, text: string, secret?: string): Risk => ({
  kind,
  effect: RISKS[kind],
  ...(secret === undefined ? {} : { secret }),
  text,
});

/** Risks of changes of secrets: loss, weaker protection, breakage. */
export function secretRisks({ added, destroyed, kept, replaced }: PairedSecrets): readonly Risk[] {
  return [
    ...destroyed.flatMap((secret) => {
      const twin = added.find((candidate) => isTwin(secret, candidate));
      return [
        risk("secret-destroyed", destroyedText(secret), secret.key),
        ...(twin
          ? [
              risk(
                "rename-lost",
                `${word(twin.key)} looks like ${word(secret.key)} under another name. Without \`renamedFrom\` it is a new secret without a value, and the old value goes.`,
                twin.key,
              ),
            ]
          : []),
      ];
    }),
    ...replaced.map(([before, after]) =>
      risk(
        "secret-replaced",
        `${word(after.key)} is made anew: ${whyReplaced(before, after)}. The old value is not carried over.`,
        after.key,
      ),
    ),
    ...[...kept, ...replaced].flatMap(([before, after]) => keptRisks(before, after)),
  ];
}

/** Reason for which a secret of the same key is another one. */
export function whyReplaced(before: SecretState, after: SecretState): string {
  if (before.store !== after.store) return `its store was ${word(before.store)} and is ${word(after.store)}`;
  return `it was ${word(before.place)} and is ${word(after.place)}`;
}

const isTwin = (before: SecretState, after: SecretState): boolean =>
  before.kind !== undefined &&
  before.kind === after.kind &&
  before.store === after.store &&
  isSameJson(before.hidden.settings, after.hidden.settings) &&
  before.consumers.join() === after.consumers.join();

function destroyedText({ key, store, recoveryDays, preventDestroy, facts }: SecretState): string {
  const back =
    store === "vault"
      ? "Vault makes no more users for it, and those that it made go with their leases."
      : preventDestroy
        ? "Terraform refuses to destroy it: set `retired` first, and remove the entry in a later change."
        : recoveryDays === 0
          ? "Its value is gone at once."
          : recoveryDays === undefined
            ? "Its value is gone after the recovery window."
            : `Its value can be had back for ${recoveryDays} days.`;
  const known = facts.retired === undefined || facts.retired === "no" ? "" : " It was retired before.";
  return `${word(key)} is destroyed. ${back}${known}`;
}

const CLASSES = ["internal", "confidential", "restricted"];

function keptRisks(before: SecretState, after: SecretState): readonly Risk[] {
  const key = after.key;
  const risks: Risk[] = [];
  const dropped = before.regions.filter((region) => !after.regions.includes(region));
  if (dropped.length > 0 && before.store === after.store) {
    risks.push(
      risk(
        "replica-dropped",
        `${word(key)} is no longer in ${words(dropped)}: what reads it there fails, and that copy is deleted at once.`,
        key,
      ),
    );
  }
  if (isLess(after.overlapSeconds, before.overlapSeconds)) {
    risks.push(
      risk(
        "overlap-shortened",
        `The old credential of ${word(key)} lives ${formatted(after.overlapSeconds)} beside the new one, not ${formatted(before.overlapSeconds)}.`,
        key,
      ),
    );
  }
  if (isLess(before.cadenceSeconds, after.cadenceSeconds)) {
    risks.push(
      risk(
        "cadence-lengthened",
        `${word(key)} is rotated every ${formatted(after.cadenceSeconds)}, not every ${formatted(before.cadenceSeconds)}.`,
        key,
      ),
    );
  }
  for (const [workload, last] of Object.entries(before.lastDays ?? {})) {
    const now = after.lastDays?.[workload];
    if (now === undefined ? !after.consumers.includes(workload) : now <= last) continue;
    risks.push(
      risk(
        "grant-prolonged",
        `${word(workload)} reads ${word(key)} ${now === undefined ? "without a last day" : `until ${now}`}, not until ${last}.`,
        key,
      ),
    );
  }
  const classes = [before, after].map(({ facts }) => CLASSES.indexOf(facts.classification ?? ""));
  if ((classes[1] ?? 0) < (classes[0] ?? 0)) {
    risks.push(
      risk(
        "classification-lowered",
        `${word(key)} is classified ${word(after.facts.classification ?? "")}, not ${word(before.facts.classification ?? "")}.`,
        key,
      ),
    );
  }
  if (before.facts.mode === "automatic" && after.facts.mode !== "automatic") {
    risks.push(
      risk(
        "not-by-itself",
        `${word(key)} no longer rotates by itself: ${word(after.facts.mode ?? "")}.`,
        key,
      ),
    );
  }
  if (before.kind !== after.kind && before.kind !== undefined && after.kind !== undefined) {
    risks.push(
      risk(
        "kind-changed",
        `${word(key)} was of kind ${word(before.kind)} and is of kind ${word(after.kind)}: the value that it holds has the former kind's fields.`,
        key,
      ),
    );
  }
  const target = targetChanges(before, after);
  if (target.length > 0) {
    risks.push(
      risk(
        "target-changed",
        `The target of ${word(key)} changes (${words(target)}): the current value was made for the former one, until it is rotated.`,
        key,
      ),
    );
  }
  return risks;
}

/** Names of settings that say which system the credential opens. */
const targetChanges = ({ target: a = {} }: SecretState, { target: b = {} }: SecretState): readonly string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].sort().filter((name) => a[name] !== b[name]);

const isLess = (a: number | undefined, b: number | undefined): boolean =>
  a !== undefined && b !== undefined && a < b;

const formatted = (seconds: number | undefined): string =>
  seconds === undefined || seconds === 0 ? "not at all" : formatDuration({ seconds });
