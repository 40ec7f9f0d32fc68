import type { PathStep } from "../faults";
import type { RuleContext } from "./context";

/** Path at which the author wrote a setting of an environment. */
export function settingPath(
  context: RuleContext,
  secret: { key: string; environment: string },
  setting: string,
): readonly PathStep[] {
  const definition = context.parsed.secrets.get(secret.key);
  const own = definition?.environments[secret.environment]?.settings;
  return own && setting in own
    ? ["secrets", secret.key, "environments", secret.environment, "settings", setting]
    : definition && setting in definition.settings
      ? ["secrets", secret.key, "settings", setting]
      : ["secrets", secret.key, "environments", secret.environment, "settings", setting];
}
