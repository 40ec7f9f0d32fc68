import { isSameJson } from "../model/is-same-json";
import type {
  BearerLogin,
  EnvironmentPolicies,
  VaultAclRule,
  VaultLogin,
  VaultPolicies,
} from "./environment-policies";
import { type Finding, findingOf } from "./finding";
import { ALL_REQUESTS, type Allowance, NOTHING, type RequestSet } from "./request-set";
import { ANY, both, matching, oneOf, type Texts } from "./texts";
import { among } from "./values";
import { search } from "./widened-secrets";

const CAPABILITIES = ["read", "list", "create", "update", "patch", "delete", "sudo"] as const;

/** Right of a login by one rule. */
interface VaultRight {
  readonly login: VaultLogin;
  readonly set: RequestSet;
  /** The path, where it has no wildcard. */
  readonly path: string | undefined;
  /** The same of both sides says the same. */
  readonly id: string;
}

/** Rights in a Vault that only the head gives, on paths that the base had. */
export function widenedVaults(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Finding[] {
  const before = new Map(base.vaults.map((vault) => [vault.name, vault]));
  return head.vaults.flatMap((vault) => {
    const was = before.get(vault.name);
    return was ? widenedVault(was, vault) : [];
  });
}

function widenedVault(base: VaultPolicies, head: VaultPolicies): readonly Finding[] {
  const changed = changedLogins(base, head);
  if (changed.length === 0) return [];
  const [then, now] = [rightsOf(base), rightsOf({ ...head, logins: changed })];
  const known = new Set(then.map(({ id }) => id));
  const pathsBefore = new Set(then.flatMap(({ path }) => path ?? []));
  const fresh = new Set(
    now.flatMap(({ path }) => (path === undefined || pathsBefore.has(path) ? [] : [path])),
  );
  const index = new Map<string, VaultRight[]>();
  for (const right of then) {
    const key = `${right.login.mount} ${right.path ?? "*"}`;
    index.set(key, [...(index.get(key) ?? []), right]);
  }
  return now
    .filter(({ id, path }) => !known.has(id) && !(path !== undefined && fresh.has(path)))
    .flatMap(({ login, set, path }) => {
      const near =
        path === undefined
          ? then.filter((right) => right.login.mount === login.mount)
          : [...(index.get(`${login.mount} ${path}`) ?? []), ...(index.get(`${login.mount} *`) ?? [])];
      const result = search(
        { ...ALL_REQUESTS, resource: { ...ANY, not: fresh } },
        one(set),
        near.length === 0 ? NOTHING : { groups: [near.map((right) => right.set)], denials: [] },
      );
      return result ? [vaultFinding(head.name, login, result)] : [];
    });
}

/** Logins that are not as they were, or one of whose policies is not. */
function changedLogins(base: VaultPolicies, head: VaultPolicies): readonly VaultLogin[] {
  const rulesIn = ({ policies }: VaultPolicies) => new Map(policies.map(({ name, rules }) => [name, rules]));
  const [then, now] = [rulesIn(base), rulesIn(head)];
  const before = new Map(base.logins.map((login) => [`${login.mount} ${login.name}`, login]));
  return head.logins.filter(
    (login) =>
      !isSameJson(before.get(`${login.mount} ${login.name}`), login) ||
      !login.policies.every((name) => isSameJson(then.get(name), now.get(name))),
  );
}

const one = (set: RequestSet): Allowance => ({ groups: [[set]], denials: [] });

/** A finding about a login, in Vault's words. */
export function vaultFinding(
  vault: string,
  login: VaultLogin,
  result: NonNullable<ReturnType<typeof search>>,
): Finding {
  const finding = findingOf("Vault", login.name, result, CAPABILITIES);
  const { namespace, serviceaccount, subject, ...context } = finding.context;
  const caller =
    subject === undefined
      ? `system:serviceaccount:${String(namespace ?? "any")}:${String(serviceaccount ?? "any")}`
      : String(subject);
  return {
    ...finding,
    about: `${login.name} in Vault ${vault}`,
    caller: `${caller} by ${login.mount}`,
    context,
  };
}

/** All rights in a Vault, by login and rule. */
export function rightsOf({ logins, policies }: VaultPolicies): readonly VaultRight[] {
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  return logins.flatMap((login) => {
    const found = login.policies.map((name) => [name, byName.get(name)?.rules] as const);
    const unread = found.filter(([, rules]) => rules === undefined).map(([name]) => name);
    const rules = found.flatMap(([, entries]) => entries ?? []);
    const who = whoOf(login);
    const isParted = rules.some(({ path }) => path.includes("+"));
    const text = JSON.stringify([login, ""]);
    return [
      ...rights(rules).map(
        ({ rule, path }): VaultRight => ({
          login,
          path: isPlain(rule.path) ? rule.path : undefined,
          id: `${text} ${JSON.stringify(isPlain(rule.path) ? rule : [rule, rules])}`,
          set: {
            ...who,
            action: oneOf(rule.capabilities),
            resource: path,
            unknown: new Map([
              ...who.unknown,
              ...(rule.constraints === undefined ? [] : [[`parameters ${rule.constraints}`, true] as const]),
              // A part of a path is no text of this engine's.
              ...(isParted
                ? [[`Vault paths ${rules.map((entry) => entry.path).join(" ")}`, true] as const]
                : []),
            ]),
          },
        }),
      ),
      // A policy that is not there, or not read, may give anything.
      ...unread.map(
        (name): VaultRight => ({
          login,
          path: undefined,
          id: `${text} ${name}`,
          set: { ...who, action: oneOf(CAPABILITIES), unknown: new Map([[`Vault policy ${name}`, true]]) },
        }),
      ),
    ];
  });
}

/** Tokens that log in, as conditions on what they say of themselves. */
function whoOf(login: VaultLogin): RequestSet {
  return {
    ...ALL_REQUESTS,
    caller: oneOf([login.mount]),
    keys: new Map([
      ...(login.bearer ? bearerKeys(login.bearer) : serviceAccountKeys(login)),
      // Without one, any token of the cluster will do.
      ...(login.audiences.length > 0 ? [["audience", among(globs(login.audiences))] as const] : []),
      ...(login.networks ? [["network", among(oneOf(login.networks))] as const] : []),
    ]),
    unknown: new Map(login.others.map((text) => [`login asks ${text}`, true])),
  };
}

type Keys = readonly (readonly [string, ReturnType<typeof among>])[];

const serviceAccountKeys = ({ namespaces, serviceAccounts }: VaultLogin): Keys => [
  ["namespace", among(globs(namespaces))],
  ["serviceaccount", among(globs(serviceAccounts))],
];

/** Neither has a wildcard: Vault compares both as they are, unless the role says `bound_claims_type`. */
const bearerKeys = ({ subject, claims }: BearerLogin): Keys => [
  ["subject", among(oneOf([subject]))],
  ...Object.entries(claims).map(([claim, values]) => [`claim ${claim}`, among(oneOf(values))] as const),
];

/** Texts of Vault's globs: a lone `*` is any, and `?` is no wildcard. */
const globs = (patterns: readonly string[]): Texts =>
  patterns.includes("*")
    ? ANY
    : patterns.some((text) => text.includes("*"))
      ? matching(patterns)
      : oneOf(patterns);

const isPlain = (path: string): boolean => !/[+*]/.test(path);

/**
 * Rules with the paths on which each is the one that counts: of several that match, the most special one does, and rules of the same
 * path in several policies add up, unless one denies.
 *
 * https://developer.hashicorp.com/vault/docs/concepts/policies#priority-matching
 */
function rights(
  rules: readonly VaultAclRule[],
): readonly { readonly rule: VaultAclRule; readonly path: Texts }[] {
  const denied = new Set(
    rules.filter(({ capabilities }) => capabilities.includes("deny")).map(({ path }) => path),
  );
  return rules
    .filter(({ path, capabilities }) => !denied.has(path) && capabilities.length > 0)
    .map((rule) => {
      if (isPlain(rule.path)) return { rule, path: oneOf([rule.path]) };
      const higher = rules.filter(({ path }) => path !== rule.path && isHigher(path, rule.path));
      const plain = higher.filter(({ path }) => isPlain(path)).map(({ path }) => path);
      const wild = higher.filter(({ path }) => !isPlain(path)).flatMap(({ path }) => pathSet(path).like);
      return { rule, path: both(pathSet(rule.path), { ...ANY, not: new Set(plain), unlike: wild }) };
    });
}

/** `+` is one part of a path, `*` at the end any rest. A part is taken for any text, which is more than it is. */
const pathSet = (path: string): Texts =>
  path === "*" ? matching(["?*"]) : matching([path.replaceAll("+", "*")], "text");

/** `true` where the first of two paths that both match takes precedence. */
function isHigher(one: string, other: string): boolean {
  const first = (path: string): number => {
    const at = path.search(/[+*]/);
    return at === -1 ? Number.POSITIVE_INFINITY : at;
  };
  if (first(one) !== first(other)) return first(one) > first(other);
  const [a, b] = [one.endsWith("*"), other.endsWith("*")];
  if (a !== b) return b;
  const parts = (path: string): number => path.split("+").length;
  if (parts(one) !== parts(other)) return parts(one) < parts(other);
  if (one.length !== other.length) return one.length > other.length;
  return one > other;
}
