import { isRecord } from "../model/is-record";
import { SECRET_ACTIONS } from "./actions";
import type { ProtectedRole } from "./environment-policies";
import { parsePattern } from "./pattern";

/** One secret with any suffix. */
const ONE_SECRET = /^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:([^*?]+)-\?{6}$/;

/** ARN of something that is no secret, whatever its wildcards match. */
const OTHER_SERVICE = /^arn:[^:*?]+:(?!secretsmanager:)[a-z0-9-]+:/;

/** Secrets that the policies of a role may reach. A superset: which requests are allowed, the search decides. */
export interface Reach {
  /** Names, each with the statements that name it. */
  readonly names: ReadonlyMap<string, string>;
  /** Statements that may reach any secret, and denials: `undefined` where there are none. */
  readonly wide: string | undefined;
}

const ACTIONS = Object.values(SECRET_ACTIONS)
  .flat()
  .map((action) => action.toLowerCase());

const matched = new Map<string, boolean>();

/** `true` where a pattern matches one of the actions on secrets that are proved. */
function hasAction(pattern: string): boolean {
  const known = matched.get(pattern);
  if (known !== undefined) return known;
  const { expression } = parsePattern(pattern.toLowerCase(), "text");
  const has = ACTIONS.some((action) => expression.test(action));
  matched.set(pattern, has);
  return has;
}

const isAboutSecrets = ({ Action, NotAction }: Readonly<Record<string, unknown>>): boolean =>
  NotAction !== undefined || [Action].flat().map(String).some(hasAction);

/** Secrets that the policies of a role may reach. */
export function roleReach({ policies, attached, boundary }: ProtectedRole): Reach {
  const names = new Map<string, string>();
  const wide: string[] = attached.map((arn) => `attached ${arn}`);
  if (boundary !== undefined && attached.length > 0) wide.push(`boundary ${boundary}`);
  for (const statement of policies.flatMap(statementsIn).filter(isAboutSecrets)) {
    const { Resource, ...rest } = statement;
    const resources = Resource === undefined ? ["*"] : [Resource].flat().map(String);
    const isPlain = statement.Effect === "Allow" && statement.NotResource === undefined;
    if (isPlain && resources.every((one) => OTHER_SERVICE.test(one))) continue;
    const text = JSON.stringify(rest);
    for (const resource of resources) {
      const name = isPlain ? ONE_SECRET.exec(resource)?.[1] : undefined;
      if (name !== undefined) names.set(name, `${names.get(name) ?? ""}${text} ${resource}`);
      else if (!isPlain || !OTHER_SERVICE.test(resource)) wide.push(`${text} ${resource}`);
    }
  }
  return { names, wide: wide.length === 0 ? undefined : wide.sort().join("\n") };
}

/** Statements of a role's policies by the names of secrets that they name, and all others. */
interface Statements {
  readonly byName: ReadonlyMap<string, readonly object[]>;
  readonly rest: readonly object[];
}

const known = new WeakMap<ProtectedRole, Statements>();

/**
 * A role with those of its rights alone that may be about one secret: a role of a function has a thousand others.
 */
export function narrowedTo(role: ProtectedRole, name: string): ProtectedRole {
  const statements = known.get(role) ?? statementsByName(role);
  known.set(role, statements);
  return {
    ...role,
    policies: [{ Statement: [...statements.rest, ...(statements.byName.get(name) ?? [])] }],
  };
}

function statementsByName({ policies }: ProtectedRole): Statements {
  const byName = new Map<string, object[]>();
  const rest: object[] = [];
  for (const policy of policies) {
    if (!isRecord(policy)) rest.push({ Policy: policy });
    for (const statement of statementsIn(policy).filter(isAboutSecrets)) {
      const resources = statement.Resource === undefined ? [] : [statement.Resource].flat().map(String);
      const others: string[] = [];
      const named = new Map<string, string[]>();
      for (const resource of resources) {
        const found = ONE_SECRET.exec(resource)?.[1];
        if (found === undefined) others.push(resource);
        else named.set(found, [...(named.get(found) ?? []), resource]);
      }
      for (const [found, Resource] of named) {
        byName.set(found, [...(byName.get(found) ?? []), { ...statement, Resource }]);
      }
      if (others.length > 0 || resources.length === 0) {
        rest.push(resources.length === 0 ? statement : { ...statement, Resource: others });
      }
    }
  }
  return { byName, rest };
}

/** Statements of a policy that are objects. */
export const statementsIn = (policy: unknown): readonly Readonly<Record<string, unknown>>[] =>
  isRecord(policy) ? [policy.Statement].flat().filter(isRecord) : [];

/** Texts anywhere in a value. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}
