import { isDeepStrictEqual } from "node:util";
import { type BlastRadius, blastRadius } from "../../blueprint";
import { type ChangeFacts, type ChangeRequest, readChangeRequest } from "../../contracts";
import { type Fault, formatFault, type Registry } from "../../model";
import { show } from "../../model/check";
import { fault } from "../../model/faults";
import { calendarDate } from "../../model/grammar";
import { keyAsWord } from "../../model/names";
import { nearest } from "../../model/nearest";
import { renderChangeRequest } from "../documents/change-request";
import { UserFault } from "../terminal/user-fault";

/** Change that somebody asks for. */
export interface ChangeInput {
  readonly key: string;
  /** Day of the request: `2026-11-25`. */
  readonly date: string;
  readonly requester: string;
  readonly reason: string;
  /** Day of the rotation by environment. */
  readonly schedule: Readonly<Record<string, string>>;
  /** Default: the approvers' roles of the scheduled environments. */
  readonly approvers?: readonly string[];
}

/**
 * A change request for what somebody asks for, with what the registry says of it. The same input and registry give the
 * same bytes.
 *
 * @throws UnknownNameError for a key or an environment that is not there
 * @throws UserFault with everything else that `change check` would find
 */
export function newChange(
  registry: Registry,
  input: ChangeInput,
): { readonly change: ChangeRequest; readonly text: string } {
  const { key, date, requester, reason, schedule } = input;
  const wanted = Object.keys(schedule);
  // Asked for by name first, so that a misspelt one is reported as such.
  for (const environment of wanted) registry.environment(environment);
  const environments = registry.environmentNames.filter((name) => wanted.includes(name));
  const change: ChangeRequest = {
    id: `${date}-${keyAsWord(key)}`,
    secret: key,
    owner: registry.secret(key).owner,
    requester,
    approvers: [...new Set(input.approvers ?? approverRoles(registry, environments))].sort(),
    reason,
    schedule: Object.fromEntries(environments.map((name) => [name, schedule[name] ?? ""])),
    environments: Object.fromEntries(
      environments.map((name) => [name, changeFacts(blastRadius(registry, name, key))]),
    ),
  };
  const text = renderChangeRequest(change);
  const reading = readChangeRequest(text);
  const faults = [...reading.faults, ...changeFaults(registry, reading.parts)];
  if (faults.length > 0) throw new UserFault(faults.map(formatFault).join("\n\n"));
  return { change, text };
}

const approverRoles = (registry: Registry, environments: readonly string[]): readonly string[] =>
  environments.flatMap((name) => registry.environment(name).principals.approvers);

/** The facts of a blast radius that a change request keeps. */
function changeFacts(radius: BlastRadius): ChangeFacts {
  return {
    mode: radius.rotation,
    approval: radius.approval,
    regions: [...radius.regions],
    vaults: radius.vaults.map(({ name }) => name),
    consumers: radius.consumers.map((consumer, index) => ({
      workload: consumer.workload,
      namespace: consumer.namespace,
      serviceAccount: consumer.serviceAccount,
      clusters: consumer.clusters.map(({ name }) => name),
      files: consumer.files.map(({ path }) => path),
      reload: reloadWord(radius.reload[index]),
    })),
    dependents: radius.dependents.map(({ chain }) => chain.join(" → ")),
    publishLeadHours: radius.publishLeadHours,
    overlapHours: radius.overlapHours,
    checks: radius.checks.map(({ workload, name, type, url, status, contains }) => ({
      workload,
      name,
      type,
      url,
      status,
      ...(contains === undefined ? {} : { contains }),
    })),
    unwatched: [...radius.unwatched],
    breaks: radius.breaks,
    rollback: radius.rollback,
  };
}

const reloadWord = (reload: BlastRadius["reload"][number] | undefined): string =>
  reload?.how === "redeploy"
    ? `redeploy ${[reload.deployment, ...(reload.further ?? []).map(({ name }) => name)].join(", ")}`
    : (reload?.how ?? "file-watch");

/** Faults of a change request by the registry, as far as its parts are valid. */
export function changeFaults(registry: Registry, parts: Partial<ChangeRequest>): readonly Fault[] {
  const { secret } = parts;
  const days = Object.keys({ ...parts.schedule, ...parts.environments });
  const unknown = days
    .filter((name) => !registry.environmentNames.includes(name))
    .map((name) => unknownFault(["schedule", name], name, "environment", registry.environmentNames));
  if (secret !== undefined && !registry.secretKeys.includes(secret))
    return [unknownFault(["secret"], secret, "secret", registry.secretKeys), ...unknown];
  return [
    ...unknown,
    ...scheduleFaults(registry, parts),
    ...vouchingFaults(registry, parts),
    ...approverFaults(registry, parts),
    ...(secret === undefined ? [] : staleFaults(registry, secret, parts)),
  ];
}

function unknownFault(path: readonly string[], name: string, what: string, known: readonly string[]): Fault {
  const near = nearest(name, known);
  return fault(
    path,
    `${JSON.stringify(name)}, which is no ${what}`,
    `one of ${known.join(", ")}`,
    near === undefined ? "correct the name" : `did you mean ${JSON.stringify(near)}?`,
  );
}

const TIERS = ["development", "staging", "production"];

/** A change goes Dev → Stage → Prod, and not before it was asked for. */
function scheduleFaults(registry: Registry, { id, schedule = {} }: Partial<ChangeRequest>): readonly Fault[] {
  const known = registry.environmentNames.filter((name) => schedule[name] !== undefined);
  const tierOf = (name: string): number => TIERS.indexOf(registry.environment(name).tier);
  const asked = id?.slice(0, 10);
  return known.flatMap((name) => {
    const day = schedule[name] ?? "";
    const later = known
      .filter((other) => tierOf(other) < tierOf(name) && (schedule[other] ?? "") > day)
      .map((other) =>
        fault(
          ["schedule", name],
          `${day}, before ${other}'s ${schedule[other]}`,
          `${schedule[other]} or later: a change goes from development by staging to production`,
          "choose a later day, or an earlier one for the other",
        ),
      );
    const early =
      asked !== undefined && calendarDate.safeParse(asked).success && day < asked
        ? [
            fault(
              ["schedule", name],
              `${day}, before the change was asked for`,
              `${asked} or later`,
              "choose a later day",
            ),
          ]
        : [];
    return [...early, ...later];
  });
}

/** A change that nobody can vouch for would be approved, and then refused. */
const vouchingFaults = (registry: Registry, { schedule = {} }: Partial<ChangeRequest>): readonly Fault[] =>
  registry.environmentNames
    .filter((name) => {
      const { changeRequest, changes } = registry.environment(name);
      return schedule[name] !== undefined && changeRequest === "required" && changes === undefined;
    })
    .map((name) =>
      fault(
        ["schedule", name],
        `${name}, where nobody can vouch for a change request`,
        "environments with `changes`, or that require no change request",
        `name in environments.${name}.changes the repository whose jobs vouch, and in its principals.ci their role`,
      ),
    );

/** Faults of the approvers, where somebody has to approve. */
function approverFaults(
  registry: Registry,
  { approvers, schedule = {} }: Partial<ChangeRequest>,
): readonly Fault[] {
  if (approvers === undefined || approvers.length > 0) return [];
  const asking = registry.environmentNames.filter((name) => {
    const { changeRequest, approval } = registry.environment(name);
    return schedule[name] !== undefined && (changeRequest === "required" || approval === "required");
  });
  if (asking.length === 0) return [];
  return [
    fault(
      ["approvers"],
      "nobody",
      `at least one, because ${asking.join(" and ")} ask${asking.length === 1 ? "s" : ""} for approval`,
      "name approvers (--approver), or approvers' roles in the registry",
    ),
  ];
}

/** Facts that no longer are as the approvers saw them. */
function staleFaults(registry: Registry, secret: string, parts: Partial<ChangeRequest>): readonly Fault[] {
  const again =
    "the registry has changed: remove the file, and write it again with secrets-registry change new";
  const owner = registry.secret(secret).owner;
  const ownerFaults =
    parts.owner === undefined || parts.owner === owner
      ? []
      : [fault(["owner"], show(parts.owner), `${show(owner)}, as the registry says`, again)];
  const present = registry.environmentNames.filter((name) => parts.schedule?.[name] !== undefined);
  return [
    ...ownerFaults,
    ...present.flatMap((name) => {
      if (registry.secretIn(name, secret) === undefined) {
        return [
          fault(
            ["schedule", name],
            `${name}, which does not have ${secret}`,
            "environments that have the secret",
            "remove the environment from the change",
          ),
        ];
      }
      const facts = parts.environments?.[name];
      if (facts === undefined) return [];
      const current = changeFacts(blastRadius(registry, name, secret));
      return (Object.keys(current) as (keyof ChangeFacts)[])
        .filter((field) => !isDeepStrictEqual(facts[field], current[field]))
        .map((field) =>
          fault(
            ["environments", name, field],
            show(facts[field]),
            `${show(current[field])}, as the registry says`,
            again,
          ),
        );
    }),
  ];
}
