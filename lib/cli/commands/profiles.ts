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

/** The SDK's setting of an environment's profile: as given, else `SECRETS_REGISTRY_PROFILE_<ENV>`; none: AWS's own chain. */
export function profileSetting(
  environment: string,
  given: ReadonlyMap<string, string>,
): { readonly profile?: string } {
  const profile =
    given.get(environment) ??
    process.env[`SECRETS_REGISTRY_PROFILE_${environment.toUpperCase().replaceAll("-", "_")}`];
  return profile === undefined ? {} : { profile };
}
