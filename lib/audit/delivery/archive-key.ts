import type { OcsfEvent } from "../ocsf";

/** Place of an event in the archive: its hour (UTC) and its id, so that the same event is the same object. */
export const archiveKey = ({ time_dt, metadata }: Pick<OcsfEvent, "time_dt" | "metadata">): string =>
  `${hourPrefix(new Date(time_dt))}${metadata.uid}.json`;

/** Prefix of the keys of one hour's events: `events/2026/12/01/09/`. */
const hourPrefix = (time: Date): string =>
  `events/${time.toISOString().slice(0, 13).replaceAll(/[-T]/g, "/")}/`;

/** Prefixes of the hours that a range of time touches, the earliest first. */
export function hourPrefixes(from: Date, until: Date): readonly string[] {
  const hour = 3_600_000;
  const first = Math.floor(from.getTime() / hour);
  const last = Math.floor(until.getTime() / hour);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) =>
    hourPrefix(new Date((first + at) * hour)),
  );
}
