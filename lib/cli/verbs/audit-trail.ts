import { hourPrefixes, type OcsfEvent } from "../../audit";
import { type AuditPlan, type Blueprint, blueprint } from "../../blueprint";
import type { Registry } from "../../model";
import type { AuditCloud } from "../cloud/audit-cloud";
import type { PreflightCloud } from "../cloud/preflight-cloud";
import { UserFault } from "../terminal/user-fault";
import { type PreflightReport, trailPreflight } from "./preflight";
import type { PreflightCheck } from "./preflight-check";

/**
 * The audit trail of an environment: whether there is one, whether it has a SIEM, and whether a trail of CloudTrail logs what it needs,
 * reads among it, in every region.
 */
export async function auditCheck(
  registry: Registry,
  environment: string,
  cloud: Pick<PreflightCloud, "callerAccount" | "trails">,
): Promise<PreflightReport> {
  const plan = blueprint(registry, environment);
  const checks = [...settingChecks(plan), ...(await trailPreflight(registry, environment, cloud))];
  return {
    environment,
    account: plan.account,
    ready: checks.every(({ state }) => state !== "missing"),
    checks,
  };
}

function settingChecks({ audit, environment, tier }: Blueprint): readonly PreflightCheck[] {
  if (audit === undefined) {
    return [
      {
        check: "audit trail",
        state: "missing",
        found: `environments.${environment} has no setting audit`,
        change: 'set audit: { trail: "create" } or { trail: "organization" }, with sinks, and deploy',
      },
    ];
  }
  const trail: PreflightCheck = { check: "audit trail", state: "ok", found: audit.archive.name, change: "" };
  const names = audit.sinks.map(({ name }) => name).join(", ");
  return [
    trail,
    names === ""
      ? {
          check: "SIEM",
          state: tier === "production" ? "missing" : "advice",
          found: "none: the archive alone",
          change: `name one in environments.${environment}.audit.sinks: policy wants every change at a SIEM`,
        }
      : { check: "SIEM", state: "ok", found: names, change: "" },
  ];
}

/** Range of events to replay, and the sink that gets them. */
export interface ReplayRequest {
  readonly environment: string;
  readonly from: Date;
  /** Events of this moment are not. */
  readonly until: Date;
  /** Name of the sink. Default: all. */
  readonly sink?: string | undefined;
}

/** Result of a replay. */
export interface ReplayReport {
  readonly environment: string;
  /** Objects of the hours that were looked through. */
  readonly read: number;
  /** Events of the range. */
  readonly replayed: number;
  readonly sinks: readonly string[];
  /** Keys of objects that hold no event. */
  readonly unreadable: readonly string[];
}

/** Events that are in hand at once. */
const AT_ONCE = 50;

/**
 * Puts the archive's events of a range of time into the queues of sinks again. They have the ids that they had: a SIEM that has one
 * already knows it by that.
 *
 * @throws UserFault where there is no audit trail, no such sink, or no time between `from` and `until`
 */
export async function auditReplay(
  registry: Registry,
  { environment, from, until, sink }: ReplayRequest,
  cloud: AuditCloud,
  urlOf: (queue: AuditPlan["events"]) => string = ({ url }) => url,
): Promise<ReplayReport> {
  const { audit } = blueprint(registry, environment);
  if (audit === undefined) throw new UserFault(`${environment} has no audit trail: it has no setting audit.`);
  if (until <= from) throw new UserFault("--until is not after --from.");
  const sinks = audit.sinks.filter(({ name }) => sink === undefined || name === sink);
  if (sinks.length === 0) {
    const known = audit.sinks.map(({ name }) => name).join(", ") || "none";
    throw new UserFault(`${environment} has no sink ${sink ?? "at all"}; there are: ${known}.`);
  }
  const bucket = audit.archive.name;
  const unreadable: string[] = [];
  let read = 0;
  let replayed = 0;
  const hand = async (keys: readonly string[]): Promise<void> => {
    const texts = await Promise.all(keys.map(async (key) => [key, await cloud.read(bucket, key)] as const));
    read += texts.length;
    const chosen = texts.flatMap(([key, text]) => {
      const time = timeOf(text);
      if (time === undefined) unreadable.push(key);
      return time !== undefined && time >= from.getTime() && time < until.getTime() ? [text] : [];
    });
    for (const { queue } of sinks) await cloud.send(urlOf(queue), chosen);
    replayed += chosen.length;
  };
  for (const prefix of hourPrefixes(from, until)) {
    let some: string[] = [];
    for await (const key of cloud.list(bucket, prefix)) {
      some.push(key);
      if (some.length < AT_ONCE) continue;
      await hand(some);
      some = [];
    }
    await hand(some);
  }
  return { environment, read, replayed, sinks: sinks.map(({ name }) => name), unreadable };
}

function timeOf(text: string): number | undefined {
  try {
    const { time, metadata } = JSON.parse(text) as Partial<OcsfEvent>;
    return typeof time === "number" && typeof metadata?.uid === "string" ? time : undefined;
  } catch {
    return undefined;
  }
}
