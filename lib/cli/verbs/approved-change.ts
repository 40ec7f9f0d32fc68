import { existsSync, readFileSync } from "node:fs";
import { readChangeRequest } from "../../contracts";
import { formatFault, type Registry } from "../../model";
import { UserFault } from "../terminal/user-fault";
import { checkChanges } from "./change-check";

/** A change request that a rotation is done by. */
export interface ChangeInUse {
  readonly digest: string;
  readonly path: string;
  /** Day from which each environment may be changed. */
  readonly schedule: Readonly<Record<string, string>>;
}

/** Use of a change request. */
export interface ChangeUse {
  readonly key: string;
  readonly environment: string;
  /** `2026-11-25`, UTC. */
  readonly today: string;
}

/**
 * Reads the change request of a rotation, and refuses what the dispatcher would refuse, with what to do about it. Whether
 * CI has vouched for it, only the dispatcher knows.
 *
 * @throws UserFault
 */
export function changeOf(registry: Registry, file: string, use: ChangeUse): ChangeInUse {
  const { key, environment, today } = use;
  if (!existsSync(file)) throw new UserFault(`No change request at ${file}.`);
  const [checked] = checkChanges(registry, [file], today).files;
  const { change } = readChangeRequest(readFileSync(file, "utf8"));
  if (checked?.digest === undefined || change === undefined) {
    throw new UserFault(
      [
        `${file} is no valid change request for this registry. Write a new one: secrets-registry change new ${key}.`,
        ...(checked?.faults ?? []).map(formatFault),
      ].join("\n\n"),
    );
  }
  if (!checked.open) {
    throw new UserFault(
      `${file} is closed: its last day was 30 days ago or more. Ask for another change: secrets-registry change new ${key}.`,
    );
  }
  if (change.secret !== key) throw new UserFault(`${file} is for ${change.secret}, not for ${key}.`);
  const day = change.schedule[environment];
  if (day === undefined) {
    throw new UserFault(
      `${file} is not for ${environment}; it is for ${Object.keys(change.schedule).join(", ")}.`,
    );
  }
  if (today < day) {
    throw new UserFault(`${file} allows ${environment} to be changed from ${day} on, and today is ${today}.`);
  }
  return { digest: checked.digest, path: file, schedule: change.schedule };
}
