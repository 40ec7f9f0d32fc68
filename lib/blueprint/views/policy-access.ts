import type { PolicyDocument, PolicyStatement } from "../../model/policy-document";

/** Ways to touch a secret, as people name them. */
export type AccessVerb = "read" | "write" | "administer";

/** Access that remains possible for one role, whatever other policies say. */
export interface PossibleAccess {
  readonly arn: string;
  /** Sorted. */
  readonly can: readonly AccessVerb[];
  /** `true`: the role's own policies are known, and allow it; `false`: they are somebody else's. */
  readonly own: boolean;
}

const VERBS: readonly (readonly [RegExp, AccessVerb])[] = [
  [/:(Batch)?GetSecretValue$/, "read"],
  [/:(PutSecretValue|UpdateSecretVersionStage)$/, "write"],
  [/./, "administer"],
];

const verbOf = (action: string): AccessVerb =>
  VERBS.find(([pattern]) => pattern.test(action))?.[1] ?? "administer";

/** Each verb of an action, which may be a pattern such as `secretsmanager:*`. */
function verbsIn(action: string): readonly AccessVerb[] {
  if (!action.includes("*")) return action.startsWith("secretsmanager:") ? [verbOf(action)] : [];
  const pattern = new RegExp(`^${action.replace(/[.?+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "i");
  return SAMPLES.filter(([sample]) => pattern.test(sample)).map(([, verb]) => verb);
}

/** An action of each verb. */
const SAMPLES: readonly (readonly [string, AccessVerb])[] = [
  ["secretsmanager:GetSecretValue", "read"],
  ["secretsmanager:PutSecretValue", "write"],
  ["secretsmanager:UpdateSecretVersionStage", "write"],
  ["secretsmanager:PutResourcePolicy", "administer"],
  ["secretsmanager:UpdateSecret", "administer"],
  ["secretsmanager:DeleteSecret", "administer"],
];

/** Rights of roles on secrets of Secrets Manager, looked up by the secret's name. */
export class GrantIndex {
  readonly #roles: ReadonlyMap<string, RoleGrants>;

  /** @param roles ARN of each role whose policies are known, and those policies */
  constructor(roles: Iterable<readonly [string, readonly PolicyDocument[]]>) {
    this.#roles = new Map([...roles].map(([arn, documents]) => [arn, grantsIn(documents)]));
  }

  /** Verbs that a role's own policies give; `undefined`: the role is somebody else's. */
  verbsOf(arn: string, secretName: string): ReadonlySet<AccessVerb> | undefined {
    const grants = this.#roles.get(arn);
    if (grants === undefined) return undefined;
    return new Set([
      ...(grants.byName.get(secretName) ?? []),
      ...grants.byPrefix.flatMap(([prefix, verbs]) => (secretName.startsWith(prefix) ? [...verbs] : [])),
    ]);
  }
}

interface RoleGrants {
  readonly byName: ReadonlyMap<string, ReadonlySet<AccessVerb>>;
  readonly byPrefix: readonly (readonly [string, ReadonlySet<AccessVerb>])[];
}

/** One secret in any form of its suffix, or all whose names begin alike. */
const SECRET_ARN = /:secret:(.*?)(?:-\?{6}|(\*))$/;

function grantsIn(documents: readonly PolicyDocument[]): RoleGrants {
  const byName = new Map<string, Set<AccessVerb>>();
  const byPrefix: (readonly [string, ReadonlySet<AccessVerb>])[] = [];
  for (const { Effect, Action, Resource = [] } of documents.flatMap(({ Statement }) => Statement)) {
    if (Effect !== "Allow") continue;
    const verbs = new Set(Action.flatMap(verbsIn));
    if (verbs.size === 0) continue;
    for (const resource of Resource) {
      const [, name, wide] = resource === "*" ? ["", "", "*"] : (SECRET_ARN.exec(resource) ?? []);
      if (name === undefined) continue;
      if (wide !== undefined) byPrefix.push([name, verbs]);
      else byName.set(name, new Set([...(byName.get(name) ?? []), ...verbs]));
    }
  }
  return { byName, byPrefix };
}

/** Roles that a denial leaves out. */
const exemptOf = ({ Effect, Action, Condition }: PolicyStatement): readonly string[] =>
  Effect === "Deny" && !Action.includes("secretsmanager:RotateSecret")
    ? (Condition?.ArnNotLike?.["aws:PrincipalArn"] ?? [])
    : [];

/** Roles that a secret's own policy does not deny everything, and what each can do. */
export function possibleAccess(
  secret: { readonly name: string; readonly policy: PolicyDocument },
  grants: GrantIndex,
): readonly PossibleAccess[] {
  const verbs = new Map<string, Set<AccessVerb>>();
  for (const statement of secret.policy.Statement) {
    for (const arn of exemptOf(statement)) {
      const can = verbs.get(arn) ?? new Set();
      for (const action of statement.Action) can.add(verbOf(action));
      verbs.set(arn, can);
    }
  }
  return [...verbs].flatMap(([arn, can]): PossibleAccess[] => {
    const own = grants.verbsOf(arn, secret.name);
    const possible = own === undefined ? [...can] : [...can].filter((verb) => own.has(verb));
    return possible.length === 0 ? [] : [{ arn, can: possible.sort(), own: own !== undefined }];
  });
}
