import { show } from "../check";
import { type Fault, fault, type PathStep } from "../faults";
import { VERSION_VARIABLE, variableName } from "../files";
import { type GenerationRule, type GenericCheck, namesInCheck, rulesMakeValue } from "../generic-settings";
import type { AcceptedBy } from "../kinds";
import type { EnvironmentSecret } from "../resolve";
import { keptSettings } from "../setting-rules";
import { VALUE_BYTES } from "../value-size";
import { type RuleContext, repeated } from "./context";
import { settingPath } from "./setting-path";

/** A generic secret of an environment. */
type GenericSecret = EnvironmentSecret & { readonly kind: "generic" };

/**
 * Ways in which a generic secret may be rotated: by rotation and acceptance, whether it has a check. Nothing installs a value
 * at a target that is not known. So `automatic` is for values that own workloads alone use, and a check could not
 * pass there; `target` (two credentials side by side) needs the check, which shows when the old one is dead.
 */
export const GENERIC_CHECKS: Readonly<
  Record<"automatic" | "operator-assisted", Partial<Record<AcceptedBy, readonly ("check" | "none")[]>>>
> = {
  automatic: { "single-slot": ["none"] },
  "operator-assisted": { "single-slot": ["none", "check"], target: ["check"] },
};

/** Faults of a generic secret's settings, which must agree among themselves and with its rotation. */
export function genericFaults(context: RuleContext, secret: GenericSecret): readonly Fault[] {
  return [
    ...combinationFaults(context, secret),
    ...fieldFaults(context, secret),
    ...variableFaults(context, secret),
    ...ruleFaults(context, secret),
    ...sizeFaults(context, secret),
    ...checkFaults(context, secret),
  ];
}

const list = (names: readonly string[]): string => names.join(", ");

function combinationFaults(context: RuleContext, secret: GenericSecret): readonly Fault[] {
  const { rotation, acceptedBy, settings } = secret;
  // Other rotations and acceptances are faults of their own.
  if (rotation === "manual-dual-publish" || acceptedBy === "own-workloads") return [];
  const allowed = GENERIC_CHECKS[rotation][acceptedBy];
  if (allowed === undefined) {
    return [
      fault(
        ["secrets", secret.key, "acceptedBy"],
        `${JSON.stringify(acceptedBy)} with rotation ${rotation}`,
        `${Object.keys(GENERIC_CHECKS[rotation]).join(" or ")}: nothing can show this of an unknown target`,
        "choose rotation operator-assisted, or a kind that knows the target",
      ),
    ];
  }
  if (allowed.includes(settings.check === undefined ? "none" : "check")) return [];
  const path = settingPath(context, secret, "check");
  return settings.check === undefined
    ? [
        fault(
          path,
          "nothing",
          `a check, with acceptedBy ${acceptedBy}: it shows that the old credential is dead`,
          "add it, or choose acceptedBy single-slot",
        ),
      ]
    : [
        fault(
          path,
          `a check by ${settings.check.how} with rotation ${rotation}`,
          "no check: nobody has taken the new value to the target when it would be tried",
          "remove it, or choose rotation operator-assisted",
        ),
      ];
}

function fieldFaults(context: RuleContext, secret: GenericSecret): readonly Fault[] {
  const { fields, config } = secret.settings;
  return [
    ...repeated(fields, (name) => name).map(({ entry, index }) =>
      fault(
        [...settingPath(context, secret, "fields"), index],
        `${JSON.stringify(entry)} a second time`,
        "each field once",
        "remove it",
      ),
    ),
    ...Object.keys(config)
      .filter((name) => fields.includes(name))
      .map((name) =>
        fault(
          [...settingPath(context, secret, "config"), name],
          "the name of a field of the value",
          "names that no field has: pods get both in one object",
          "rename it, or remove the field",
        ),
      ),
  ];
}

/** Names that differ in JSON and are one in a file of format `env`, where the later line would win. */
function variableFaults(context: RuleContext, secret: GenericSecret): readonly Fault[] {
  const { fields, config } = secret.settings;
  const files = secret.consumers.flatMap((consumer) =>
    (consumer.files ?? []).filter(({ format }) => format === "env"),
  );
  if (files.length === 0) return [];
  const names = new Set([...Object.keys(config), ...fields]);
  const holders = new Map<string, string>(
    files.some(({ version }) => version) ? [[variableName(VERSION_VARIABLE), "the version's id"]] : [],
  );
  return [...names].flatMap((name) => {
    const variable = variableName(name);
    const holder = holders.get(variable);
    holders.set(variable, holder ?? name);
    if (holder === undefined) return [];
    return [
      fault(
        settingPath(context, secret, fields.includes(name) ? "fields" : "config"),
        `${name}, which is ${variable} in a file of format env, as ${holder} is`,
        "names that differ as variables of a shell, which has no hyphens and here no small letters",
        "rename one of the two, or choose format json",
      ),
    ];
  });
}

function ruleFaults(context: RuleContext, secret: GenericSecret): readonly Fault[] {
  const { fields, generate } = secret.settings;
  const path = settingPath(context, secret, "generate");
  const ruled = Object.keys(generate);
  const unknown = ruled
    .filter((name) => !fields.includes(name))
    .map((name) =>
      fault(
        [...path, name],
        "a rule for no field",
        `one of ${list(fields)}`,
        "correct the name, or add the field",
      ),
    );
  const bare = fields.filter((name) => !ruled.includes(name));
  if (unknown.length > 0 || secret.rotation === "automatic" || ruled.length === 0 || bare.length === 0) {
    return unknown;
  }
  return [
    fault(
      path,
      `no rule for ${list(bare)}, with rotation ${secret.rotation}`,
      "a rule for every field, or none: a person supplies the whole value, or nothing of it",
      "add the rules, remove them all, or put public parts into config",
    ),
  ];
}

/** Characters of a made field as the value's JSON has them: symbols may take two. */
const lengthOf = (rule: GenerationRule | undefined): number => {
  if (rule === undefined) return DEFAULT_LENGTH;
  if (rule.how === "password") return rule.characters.includes("symbol") ? 2 * rule.length : rule.length;
  return rule.encoding === "hex" ? 2 * rule.bytes : 4 * Math.ceil(rule.bytes / 3);
};
/** Characters of a field without a rule, where the function makes it. */
const DEFAULT_LENGTH = 48;

/** Faults of values that could outgrow Secrets Manager's limit. The settings that a value keeps count as well. */
function sizeFaults(context: RuleContext, secret: GenericSecret): readonly Fault[] {
  const { fields, generate } = secret.settings;
  if (secret.rotation !== "automatic" && !rulesMakeValue(secret.settings)) return [];
  const made = fields.reduce((sum, name) => sum + name.length + 6 + lengthOf(generate[name]), 0);
  const bytes = made + Buffer.byteLength(JSON.stringify(keptSettings("generic", secret.settings)));
  if (bytes <= VALUE_BYTES) return [];
  return [
    fault(
      settingPath(context, secret, "fields"),
      `${fields.length} fields that make a value of up to ${bytes} bytes, with the settings that it keeps`,
      `${VALUE_BYTES} bytes in one value (Secrets Manager)`,
      "split it into several secrets, or shorten what the rules make",
    ),
  ];
}

function checkFaults(context: RuleContext, secret: GenericSecret): readonly Fault[] {
  const { check, fields, config } = secret.settings;
  if (check === undefined) return [];
  const at = (steps: readonly PathStep[]): readonly PathStep[] => [
    ...settingPath(context, secret, "check"),
    ...steps,
  ];
  const { fields: named, username } = namesInCheck(check);
  return [
    ...named
      .filter(({ name }) => !fields.includes(name))
      .map(({ path, name }) =>
        fault(
          at(path),
          `${show(name)}, which is no field`,
          `one of ${list(fields)}`,
          "name the field that holds the credential; never the credential itself",
        ),
      ),
    ...(username !== undefined && !fields.includes(username.name) && typeof config[username.name] !== "string"
      ? [
          fault(
            at(username.path),
            `${show(username.name)}, which is no field and no text of config`,
            `one of ${list([...fields, ...Object.keys(config).filter((name) => typeof config[name] === "string")])}`,
            "name where the user name stands; never the user name itself",
          ),
        ]
      : []),
    ...bodyFaults(check, at),
    ...twinFaults(secret, at),
  ];
}

/** Two credentials side by side at PostgreSQL are two logins. */
function twinFaults(
  { acceptedBy, settings: { check, fields, config } }: GenericSecret,
  at: (steps: readonly PathStep[]) => readonly PathStep[],
): readonly Fault[] {
  if (acceptedBy !== "target" || check?.how !== "sql") return [];
  if (fields.includes(check.usernameFrom) || config[check.usernameFrom] === undefined) return [];
  return [
    fault(
      at(["usernameFrom"]),
      `${show(check.usernameFrom)}, which stays the same, with acceptedBy target`,
      "a field: PostgreSQL keeps one password for a login, so the new credential is another login",
      "put the user name into a field, or choose acceptedBy single-slot",
    ),
  ];
}

function bodyFaults(
  check: GenericCheck,
  at: (steps: readonly PathStep[]) => readonly PathStep[],
): readonly Fault[] {
  if (check.how !== "http" || check.method !== "HEAD" || check.expect.bodyIncludes === undefined) return [];
  return [
    fault(
      at(["expect", "bodyIncludes"]),
      "a text, with method HEAD",
      "no text: an answer to HEAD has no body",
      "choose GET, or remove it",
    ),
  ];
}
