import { canonicalJson } from "../model/canonical-json";
import { isRecord } from "../model/is-record";
import { keyTest } from "./condition";
import { ALL_REQUESTS, type RequestSet } from "./request-set";
import { type ResourceFamily, statementResources } from "./resource-family";
import { ANY, both, matching, oneOf, others, type Texts } from "./texts";
import { among, isImpossible, meet, type Values } from "./values";

/** A policy as it is written: a document of this program, or parsed JSON of anybody. */
export type PolicyJson = unknown;

/** A statement as a set of requests. */
export interface StatementSet {
  readonly effect: "Allow" | "Deny";
  readonly set: RequestSet;
  /** `true` where it names the account, which leaves it to the callers' own policies. */
  readonly delegates: boolean;
}

/** Surroundings in which statements are read. */
export interface Scene {
  /** The caller is a principal of AWS, whose ARN is the caller. A service and a token have none. */
  readonly callerHasArn: boolean;
  /** Keys whose values are known, in lower case; `undefined`: the key is absent. */
  readonly constants: ReadonlyMap<string, string | undefined>;
  /** Resources that are asked about; `undefined`: resources are not looked at, as in a trust policy. */
  readonly resources?: ResourceFamily;
}

/** Statements of a policy that can match in a scene. A policy that cannot be read allows what is not known. */
export function statementsOf(policy: PolicyJson, scene: Scene): readonly StatementSet[] {
  const statements = isRecord(policy) ? [policy.Statement].flat() : [undefined];
  return statements.flatMap((statement) => {
    const set = isRecord(statement) ? statementSet(statement, scene) : unreadable(policy);
    return set ? [set] : [];
  });
}

const unreadable = (policy: PolicyJson): StatementSet => ({
  effect: "Allow",
  set: { ...ALL_REQUESTS, unknown: new Map([[`policy ${canonicalJson(policy ?? null)}`, true]]) },
  delegates: false,
});

const texts = (value: unknown): readonly string[] => [value].flat().map(String);

/** The set of everything that is not in a set of one part. */
const opposite = (set: Texts): Texts | undefined => others(set)[0];

function statementSet(statement: Readonly<Record<string, unknown>>, scene: Scene): StatementSet | undefined {
  const unknown = new Map<string, boolean>();
  const asUnknown = (what: string, value: unknown): void => {
    unknown.set(`${what} ${canonicalJson(value)}`, true);
  };
  for (const element of Object.keys(statement)) {
    if (!ELEMENTS.has(element)) asUnknown(element, statement[element]);
  }
  const effect = statement.Effect === "Deny" ? "Deny" : "Allow";
  const action = actionsOf(statement);
  const resource = scene.resources ? statementResources(statement, scene.resources, asUnknown) : ANY;
  const who = callersOf(statement, asUnknown);
  const conditions = conditionsOf(statement.Condition, scene, asUnknown);
  if (action === undefined || resource === undefined || who === undefined || conditions === undefined)
    return undefined;
  return {
    effect,
    delegates: who.delegates,
    set: { action, resource, caller: both(who.caller, conditions.caller), keys: conditions.keys, unknown },
  };
}

const ELEMENTS = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

/** Actions are compared without their case. */
function actionsOf({ Action, NotAction }: Readonly<Record<string, unknown>>): Texts | undefined {
  const lower = (value: unknown): readonly string[] => texts(value).map((text) => text.toLowerCase());
  return NotAction === undefined ? matching(lower(Action ?? [])) : opposite(matching(lower(NotAction)));
}

interface Callers {
  readonly caller: Texts;
  readonly delegates: boolean;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html */
function callersOf(
  { Principal, NotPrincipal }: Readonly<Record<string, unknown>>,
  asUnknown: (what: string, value: unknown) => void,
): Callers | undefined {
  const named = Principal ?? NotPrincipal;
  if (named === undefined) return { caller: ANY, delegates: false };
  const patterns = named === "*" ? ["*"] : isRecord(named) ? patternsOf(named) : undefined;
  if (patterns === undefined) {
    asUnknown("Principal", named);
    return { caller: ANY, delegates: false };
  }
  const isAccount = patterns.every((pattern) => ACCOUNT.test(pattern));
  const caller = matching(patterns);
  if (Principal !== undefined) return { caller, delegates: isAccount };
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html: sessions of a role have to be named
  // beside it and the account, which is not followed here.
  asUnknown("NotPrincipal", NotPrincipal);
  return { caller: ANY, delegates: false };
}

/** Pattern of everybody of one account, whose own policies decide. */
const ACCOUNT = /^arn:\*:iam::\d{12}:\*$/;

function patternsOf(principal: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const patterns = Object.entries(principal).flatMap(([type, value]) =>
    texts(value)
      .flatMap((who) => who.split(","))
      .map((who) => patternOf(type, who)),
  );
  return patterns.every((pattern) => pattern !== undefined) ? patterns : undefined;
}

function patternOf(type: string, who: string): string | undefined {
  if (who === "*") return "*";
  if (type === "Service" || type === "Federated") return /[*?]|\$\{/.test(who) ? undefined : who;
  if (type !== "AWS") return undefined;
  const account = /^(?:arn:[a-z-]+:iam::)?(\d{12})(?::root)?$/.exec(who)?.[1];
  if (account !== undefined) return `arn:*:iam::${account}:*`;
  return /^arn:[a-z-]+:iam::\d{12}:(?:role|user)\/[\w+=,.@/-]+$/.test(who) ? who : undefined;
}

interface Conditions {
  readonly caller: Texts;
  readonly keys: ReadonlyMap<string, Values>;
}

/** `undefined`: it never holds in this scene. */
function conditionsOf(
  condition: unknown,
  scene: Scene,
  asUnknown: (what: string, value: unknown) => void,
): Conditions | undefined {
  const keys = new Map<string, Values>();
  let caller = ANY;
  if (condition === undefined) return { caller, keys };
  if (!isRecord(condition)) {
    asUnknown("Condition", condition);
    return { caller, keys };
  }
  for (const [operator, wanted] of Object.entries(condition)) {
    for (const [name, value] of isRecord(wanted) ? Object.entries(wanted) : []) {
      const key = name.toLowerCase();
      const values = keyTest(operator, key, texts(value));
      if (values === undefined) {
        asUnknown(operator, { [key]: texts(value) });
      } else if (key === "aws:principalarn" && scene.callerHasArn) {
        if (!values.present) return undefined;
        caller = both(caller, values.all);
      } else if (key === "aws:principalarn" || scene.constants.has(key)) {
        if (!holds(values, key === "aws:principalarn" ? undefined : scene.constants.get(key)))
          return undefined;
      } else {
        const known = keys.get(key);
        const joined = known ? meet(known, values) : values;
        if (isImpossible(joined)) return undefined;
        keys.set(key, joined);
      }
    }
  }
  return { caller, keys };
}

function holds(values: Values, value: string | undefined): boolean {
  if (value === undefined) return values.absent;
  return !isImpossible(meet(values, among(oneOf([value]))));
}
