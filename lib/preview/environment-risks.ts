import type { AccessDifference, Risk } from "./preview";
import type { EnvironmentState, GuardState } from "./registry-state";
import { risk } from "./secret-risks";
import { word, words } from "./word";

/** Risks of changes of an environment itself: loss, weaker protection, breakage. */
export function environmentRisks(
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
  access: AccessDifference,
): readonly Risk[] {
  if (base === undefined) return [];
  if (head === undefined) {
    return [
      risk(
        "environment-removed",
        `${word(base.name)} is no longer in the registry: its stack is no longer synthesized, and nobody maintains or destroys what it made.`,
      ),
    ];
  }
  return [
    ...nameRisks(base, head),
    ...keyRisks(base, head),
    ...vaultRisks(base, head),
    ...lapsedGuards(base, head),
    ...trustRisks(head, access),
    ...readerRisks(head, access),
  ];
}

function nameRisks(
  { facts: before }: EnvironmentState,
  { name, facts: after }: EnvironmentState,
): readonly Risk[] {
  const [was, is] = [before["registry id"], after["registry id"]];
  return was === undefined || is === undefined || was === is
    ? []
    : [
        risk(
          "resource-destroyed",
          `The registry was ${word(was)} and is ${word(is)}: what is named after it in ${word(name)} is made anew, the tables of runs and changes and the bucket of records among it.`,
        ),
      ];
}

function keyRisks(base: EnvironmentState, head: EnvironmentState): readonly Risk[] {
  const [was, is] = [base.regions[0] ?? "", head.regions[0] ?? ""];
  const why =
    base.account !== head.account
      ? `the account was ${word(base.account)} and is ${word(head.account)}`
      : was !== is
        ? `the primary region was ${word(was)} and is ${word(is)}`
        : undefined;
  const dropped = base.regions.filter((region) => !head.regions.includes(region));
  return [
    ...(why === undefined
      ? []
      : [
          risk(
            "key-replaced",
            `The keys of ${word(head.name)} are made anew, because ${why}. What the former ones encrypted cannot be read after their deletion.`,
          ),
        ]),
    ...(dropped.length > 0 && why === undefined
      ? [
          risk(
            "replica-dropped",
            `${word(head.name)} leaves ${words(dropped)}: the replica keys there are scheduled for deletion.`,
          ),
        ]
      : []),
  ];
}

function vaultRisks(base: EnvironmentState, head: EnvironmentState): readonly Risk[] {
  return Object.entries(base.vaults).flatMap(([name, place]) => {
    const now = head.vaults[name];
    if (now === undefined) {
      return [
        risk(
          "vault-removed",
          `Vault ${word(name)} is no longer the environment's: the copies and users that it holds are no longer maintained, and its pods read nothing there.`,
        ),
      ];
    }
    if (now === place) return [];
    return [
      risk(
        "vault-moved",
        `Vault ${word(name)} was at ${word(place)} and is at ${word(now)}: everything in it is made there, and pods read it once they are made anew.`,
      ),
    ];
  });
}

function lapsedGuards(base: EnvironmentState, head: EnvironmentState): readonly Risk[] {
  return Object.entries(base.guards).flatMap(([name, before]) => {
    const after = head.guards[name];
    if (after === undefined) {
      return before.limits !== undefined && head.workloadNames.includes(before.limits)
        ? [risk("guard-lapsed", `No longer held: ${word(name)} (was ${word(before.text)}).`)]
        : [];
    }
    return isWeaker(before, after)
      ? [risk("guard-lapsed", `Weaker: ${word(name)} was ${word(before.text)} and is ${word(after.text)}.`)]
      : [];
  });
}

/** Weaker by its strength, or because it lets something through that it did not. */
const isWeaker = (before: GuardState, after: GuardState): boolean =>
  after.strength < before.strength ||
  (before.lets !== undefined && (after.lets ?? []).some((entry) => !before.lets?.includes(entry)));

/** A token without the audience, networks and claims that are asked of it. */
const tokenOf = (taker: string): string => taker.replace(/ (?:\(|from |with ).*$/, "");

/** A workload whose former tokens open its role no more. */
function trustRisks(head: EnvironmentState, { takersGained, takersLost }: AccessDifference): readonly Risk[] {
  const names = new Set(head.workloads.map(({ name }) => name));
  const stays = new Set(takersGained.map(({ name, at, taker }) => `${name} ${at} ${tokenOf(taker)}`));
  const moved = new Map<string, string[]>();
  for (const { name, at, taker } of takersLost) {
    if (!names.has(name) || stays.has(`${name} ${at} ${tokenOf(taker)}`)) continue;
    moved.set(name, [...(moved.get(name) ?? []), tokenOf(taker)]);
  }
  return [...moved].map(([name, takers]) =>
    risk(
      "trust-moved",
      `The role of ${word(name)} no longer trusts ${words([...new Set(takers)], 3)}: pods that run under it lose their secrets when this is applied.`,
    ),
  );
}

/** A workload that loses a secret which stays, and gets it in no other way. */
function readerRisks(head: EnvironmentState, { gained, lost }: AccessDifference): readonly Risk[] {
  const keys = new Set(head.secrets.map(({ key }) => key));
  const kept = new Set(
    gained.filter(({ can }) => can === "read").map(({ name, secret }) => `${name} ${secret}`),
  );
  return lost
    .filter(({ kind, can, secret }) => kind === "workload" && can === "read" && keys.has(secret))
    .filter(({ name, secret }) => !kept.has(`${name} ${secret}`))
    .map(({ name, secret }) =>
      risk("reader-lost", `${word(name)} reads ${word(secret)} no more: its pods fail to render it.`, secret),
    );
}
