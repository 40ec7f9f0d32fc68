import { UserFault } from "../terminal/user-fault";

/**
 * Profiles of AWS's shared configuration by environment, as `--profile dev=acme-dev prod=acme-prod` names them; commas
 * part them as well.
 *
 * @throws UserFault
 */
export function profilesIn(entries: readonly string[]): ReadonlyMap<string, string> {
  const profiles = new Map<string, string>();
  for (const entry of entries.flatMap((text) => text.split(","))) {
    const [environment = "", profile = "", ...rest] = entry.split("=");
    if (environment === "" || profile === "" || rest.length > 0) {
      throw new UserFault(
        `--profile is ${JSON.stringify(entry)}. Give environment=profile, such as prod=acme-prod.`,
      );
    }
    profiles.set(environment, profile);
  }
  return profiles;
}

/** Profile of an environment: as given, else `SECRETS_REGISTRY_PROFILE_<ENV>`; `undefined`: AWS's own chain. */
export const profileOf = (environment: string, given: ReadonlyMap<string, string>): string | undefined =>
  given.get(environment) ??
  process.env[`SECRETS_REGISTRY_PROFILE_${environment.toUpperCase().replaceAll("-", "_")}`];
