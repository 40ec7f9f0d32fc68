import { isSameJson } from "../model/is-same-json";
import type { PairedSecrets } from "./pair-secrets";
import type { AccessDifference } from "./preview";
import type { EnvironmentState, SecretState } from "./registry-state";
import { word, words } from "./word";

/** Work of people after the merge, in the order in which it is done. */
export function workAfter(
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
  { added, destroyed, kept, replaced }: PairedSecrets,
  access: AccessDifference,
): readonly string[] {
  if (head === undefined) {
    return base === undefined
      ? []
      : [`Destroy the stack of ${word(base.name)} with the last registry that has it, if it is to go.`];
  }
  const name = head.name;
  const fresh = [...added, ...replaced.map(([, after]) => after)];
  const withValue = fresh.filter(({ store }) => store === "aws");
  const handedOut = Object.keys(head.handedOut).filter(
    (what) => !isSameJson(base?.handedOut[what], head.handedOut[what]),
  );
  return [
    ...(base === undefined
      ? [`Make what the stack of ${word(name)} needs first: \`docs/guides/first-deploy.md\`.`]
      : []),
    ...(handedOut.length > 0
      ? [
          `Before it is applied, an administrator puts in place from the stack's folder \`policies/\`: ${words(handedOut)}.`,
        ]
      : []),
    ...(fresh.length > 0
      ? [
          `Run \`secrets-registry bootstrap --env\` ${word(name)}: it makes or asks for the first values of ${words(keysOf(fresh))}.`,
        ]
      : []),
    ...asked(
      withValue.filter(({ supplied }) => supplied === true),
      "Have at hand the values that people supply for",
    ),
    ...asked(
      destroyed.concat(replaced.map(([before]) => before)).filter(({ kind }) => kind !== undefined),
      "End at their targets the credentials that are no longer stored:",
    ),
    ...knownToOthers(head, access),
    ...restartWork(base, head),
    ...targetWork(kept),
    ...access.peopleGained
      .filter(({ may }) => may === "approver")
      .map(({ arn }) => `Subscribe ${word(arn)} to the approvals' topic of ${word(name)}.`),
  ];
}

const keysOf = (secrets: readonly SecretState[]): readonly string[] => secrets.map(({ key }) => key);

const asked = (secrets: readonly SecretState[], what: string): readonly string[] =>
  secrets.length === 0 ? [] : [`${what} ${words(keysOf(secrets))}.`];

/** Principals that keep nothing of what they read. */
const CODE_ONLY: readonly string[] = ["rotation function", "mirror", "procedure function"];

/** Taking a right away does not take the value away. */
function knownToOthers(head: EnvironmentState, { lost }: AccessDifference): readonly string[] {
  const keys = new Set(head.secrets.map(({ key }) => key));
  const known = new Set(
    lost
      .filter(({ kind, can, secret }) => can === "read" && keys.has(secret) && !CODE_ONLY.includes(kind))
      .map(({ secret }) => secret),
  );
  return known.size === 0
    ? []
    : [`Rotate ${words([...known].sort())}: whoever lost the right to read still knows the current value.`];
}

/** Workloads whose pods need something else than before. */
export const restartsOf = (
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
): readonly string[] =>
  (head?.workloads ?? [])
    .filter((workload) => {
      const before = base?.workloads.find(({ name }) => name === workload.name);
      return before !== undefined && !isSameJson(before.pods, workload.pods);
    })
    .map(({ name }) => name);

function restartWork(base: EnvironmentState | undefined, head: EnvironmentState): readonly string[] {
  const restarts = restartsOf(base, head);
  const byFiles = head.workloads.filter(
    ({ name, delivery }) => restarts.includes(name) && delivery === "files",
  );
  return byFiles.length === 0
    ? []
    : [
        `Take the new files of the stack's folder \`pods/\` over into the charts of ${words(byFiles.map(({ name }) => name))}, and roll them out.`,
      ];
}

function targetWork(kept: PairedSecrets["kept"]): readonly string[] {
  const moved = kept
    .filter(([before, after]) => JSON.stringify(before.target) !== JSON.stringify(after.target))
    .map(([, after]) => after)
    .filter(({ store }) => store === "aws");
  return asked(moved, "Rotate, so that the value is made for the present target:");
}
