import { check } from "../check";
import { consumersIn, type ListedConsumer } from "../consumers";
import type { ParsedEnvironment } from "../environment-definition";
import type { Fault } from "../faults";
import { heldFor } from "../held-for";
import { type AnyKindSettings, settingsSchema } from "../kinds";
import type { ParsedRegistry } from "../parse";
import { type EnvironmentSecret, isPresent, resolveSecret } from "../resolve";
import type { ParsedSecret } from "../secret-definition";
import { settingPath } from "./setting-path";
import { LOGINS } from "./supported";

/**
 * The secrets as each environment has them, as far as their settings are valid.
 *
 * @param isHeld `false` for a grant that is over, which is left out. @default none is
 */
export function resolveSecrets(
  parsed: ParsedRegistry,
  isHeld: (grant: ListedConsumer) => boolean = () => true,
): {
  readonly resolved: ReadonlyMap<string, readonly EnvironmentSecret[]>;
  readonly faults: readonly Fault[];
} {
  const faults: Fault[] = [];
  const resolved = new Map(
    [...parsed.environments].map(([name, environment]) => {
      const here = [...parsed.secrets]
        .filter(([key, secret]) => isPresent(secret, key, name, environment.optIn))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([key, secret]) => {
          const result = resolveOne(parsed, key, secret, name, environment, isHeld);
          faults.push(...result.faults);
          return result.secret ? [result.secret] : [];
        });
      return [name, here] as const;
    }),
  );
  // A wrong setting that all environments share is one fault, not one for each.
  return { resolved, faults: [...new Map(faults.map((entry) => [JSON.stringify(entry), entry])).values()] };
}

function resolveOne(
  parsed: ParsedRegistry,
  key: string,
  secret: ParsedSecret,
  environmentName: string,
  environment: ParsedEnvironment,
  isHeld: (grant: ListedConsumer) => boolean,
): { readonly secret?: EnvironmentSecret; readonly faults: readonly Fault[] } {
  const settings = { ...secret.settings, ...secret.environments[environmentName]?.settings };
  const context = { parsed, resolved: new Map() };
  const { value, faults } = check(settingsSchema(secret.kind), settings, (path) => {
    const [setting, ...rest] = path;
    return setting === undefined
      ? ["secrets", key, "settings"]
      : [...settingPath(context, { key, environment: environmentName }, String(setting)), ...rest];
  });
  if (value === undefined) return { faults };
  const kindSettings = withLogin({ kind: secret.kind, settings: value } as AnyKindSettings, secret);
  const consumers = consumersIn(secret, environmentName).filter(isHeld);
  const held = heldFor(
    environment,
    consumers.map(({ workload }) => parsed.workloads.get(workload)),
  );
  return {
    secret: resolveSecret(key, secret, environmentName, held, kindSettings, consumers),
    faults: [],
  };
}

/** The default login and connection depend on the store, which the settings' own schema does not see. */
function withLogin(kindSettings: AnyKindSettings, { store }: ParsedSecret): AnyKindSettings {
  if (kindSettings.kind !== "postgresql-user") return kindSettings;
  const { settings } = kindSettings;
  return {
    kind: kindSettings.kind,
    settings: {
      ...settings,
      login: settings.login ?? LOGINS[store][0],
      ...(store === "vault" ? { connectionUser: settings.connectionUser ?? `${settings.role}_vault` } : {}),
    },
  };
}
