import { hourPrefixes, type OcsfEvent, resourceOf } from "../../audit";
import { blueprint } from "../../blueprint";
import type { Registry } from "../../model";
import { severalAtOnce } from "../../rotation";
import type { AuditCloud } from "../cloud/audit-cloud";
import { UserFault } from "../terminal/user-fault";

const MINUTE = 60_000;

/**
 * A younger change may still be on its way: CloudTrail delivers within 5 to 15 minutes.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
 */
const ON_ITS_WAY = 30 * MINUTE;
/** Secrets Manager's times and those of events, which are whole seconds, differ by that much at most. */
const APART = MINUTE;
const HOUR = 60 * MINUTE;

/** A change that Secrets Manager knows of, and the archive does not. */
export interface SilentChange {
  /** Key of the secret. */
  readonly key: string;
  /** Name in Secrets Manager. */
  readonly secret: string;
  /** A version that was made; `undefined`: a change of the secret itself: a label, its policy, key or replicas. */
  readonly version?: string;
  /** Time of the change, by Secrets Manager, in UTC. */
  readonly at: string;
}

/** Comparison of Secrets Manager with the archive. */
export interface SilentChangesReport {
  readonly environment: string;
  /** First moment that was looked at, and the first that was not. */
  readonly from: string;
  readonly until: string;
  /** Secrets that are there. */
  readonly secrets: number;
  /** Versions and last changes of that time. */
  readonly changes: number;
  /** Sorted by time. */
  readonly silent: readonly SilentChange[];
}

/**
 * Compares each secret's versions and its last change with the archive: what has no event of a change is silent. Somebody switched the
 * trail off, or took its messages. Only hours in which something changed are read.
 *
 * @param hours hours back from `now`; the last half hour is left out
 * @throws UserFault where the environment has no audit trail
 */
export async function silentChanges(
  registry: Registry,
  environment: string,
  { hours, now }: { readonly hours: number; readonly now: Date },
  cloud: Pick<AuditCloud, "history" | "list" | "read">,
): Promise<SilentChangesReport> {
  const { audit, secrets } = blueprint(registry, environment);
  if (audit === undefined) throw new UserFault(`${environment} has no audit trail: it has no setting audit.`);
  const from = new Date(now.getTime() - hours * HOUR);
  const until = new Date(now.getTime() - ON_ITS_WAY);
  const stored = secrets.flatMap((secret) => (secret.store === "aws" ? [secret] : []));
  const looked = await severalAtOnce(
    stored,
    async ({ key, name }) => ({ key, name, history: await cloud.history(name) }),
    "stop",
  );
  const changes = looked.flatMap(({ key, name, history }) =>
    history === undefined
      ? []
      : [
          ...history.versions.map(({ id, created }) => ({ key, secret: name, version: id, at: created })),
          ...(history.lastChanged ? [{ key, secret: name, at: history.lastChanged }] : []),
        ].filter(({ at }) => at >= from && at < until),
  );
  const events = await changesInArchive(
    audit.archive.name,
    changes.map(({ at }) => at),
    cloud,
  );
  const isKnown = (change: (typeof changes)[number]): boolean =>
    (events.get(change.key) ?? []).some(
      ({ time, version }) =>
        Math.abs(time - change.at.getTime()) <= APART &&
        (!("version" in change) || change.version === version),
    );
  return {
    environment,
    from: from.toISOString(),
    until: until.toISOString(),
    secrets: looked.filter(({ history }) => history !== undefined).length,
    changes: changes.length,
    silent: changes
      .filter((change) => !isKnown(change))
      .sort((a, b) => a.at.getTime() - b.at.getTime())
      .map((change) => ({ ...change, at: change.at.toISOString() })),
  };
}

interface ArchivedChange {
  readonly time: number;
  readonly version: string | undefined;
}

/** Changes of secrets in Secrets Manager that the archive has around some times, by the secret's key. */
async function changesInArchive(
  bucket: string,
  times: readonly Date[],
  cloud: Pick<AuditCloud, "list" | "read">,
): Promise<ReadonlyMap<string, readonly ArchivedChange[]>> {
  const around = times.flatMap((time) =>
    hourPrefixes(new Date(time.getTime() - APART), new Date(time.getTime() + APART)),
  );
  const found = new Map<string, ArchivedChange[]>();
  for (const prefix of new Set(around)) {
    const keys: string[] = [];
    for await (const key of cloud.list(bucket, prefix)) keys.push(key);
    for (const text of await severalAtOnce(keys, (key) => cloud.read(bucket, key), "stop")) {
      const event = eventOf(text);
      const resource = event && resourceOf(event);
      if (event?.class_uid !== 3004 || event.cloud.provider !== "AWS" || resource === undefined) continue;
      const known = found.get(resource.name) ?? [];
      found.set(resource.name, known);
      known.push({ time: event.time, version: resource.version });
    }
  }
  return found;
}

/** An object as an event; `undefined` where it is none: that tells of no change, and `audit replay` names it. */
function eventOf(text: string): OcsfEvent | undefined {
  try {
    const event = JSON.parse(text) as Partial<OcsfEvent>;
    return event.metadata && event.cloud && event.api ? (event as OcsfEvent) : undefined;
  } catch {
    return undefined;
  }
}
