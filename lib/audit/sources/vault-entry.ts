import type { AuditScope } from "../audit-scope";
import { endpointOf } from "../identity";
import { type AuditFact, facts, malformed, notOurs, type Reading } from "../normalised";
import type { Activity, OcsfActor, OcsfResource } from "../ocsf";
import { instant, present, record, text, texts, WORD } from "../safe-text";

/**
 * Entries of Vault's and OpenBao's audit devices. A call has an entry when it comes and another when it is answered, each of them
 * once on every device; all of these are one event. Values, tokens and what was hashed of them are not looked at.
 *
 * https://developer.hashicorp.com/vault/docs/audit/schema, https://openbao.org/docs/audit/
 *
 * @param detail `{ vault, entry }`, or an entry alone
 */
export function readVaultEntry(detail: unknown, scope: AuditScope): Reading {
  const wrapped = record(detail);
  const entry = record("entry" in wrapped ? wrapped.entry : wrapped);
  const request = record(entry.request);
  const type = text(entry.type, /^(request|response)$/);
  const id = text(request.id, /^[0-9a-fA-F-]{16,64}$/);
  const time = instant(entry.time);
  const path = text(request.path, /^[^\s\0]{1,1024}$/);
  const operation = text(request.operation, /^[a-z-]{1,32}$/);
  if (
    type === undefined ||
    id === undefined ||
    time === undefined ||
    path === undefined ||
    operation === undefined
  )
    return malformed("audit entry: type, time, request.id, request.path or request.operation");
  const place = placeOf(path, scope);
  if (place === undefined) return notOurs("path of others in Vault");
  const failed = typeof entry.error === "string" && entry.error !== "";
  if (type === "request" && !failed) return notOurs("request whose answer follows");
  const vault = text(wrapped.vault, /^[a-z0-9-]{1,63}$/);
  const answered = record(record(entry.response).data);
  const version = versionOf(answered);
  const from = endpointOf(request.remote_address);
  const meaning = MEANINGS[operation] ?? ({ activity: "other", isChange: false } as const);
  const login = place.is === "login";
  const fact: AuditFact = {
    identity: ["vault", id],
    time,
    originalTime: String(entry.time),
    activity: login ? "other" : meaning.activity,
    // A user that the database engine makes for a reader is a read of the secret.
    isChange: !login && !place.isUse && meaning.isChange,
    ...(failed ? { error: codeOf(String(entry.error)) } : {}),
    actor: actorOf(record(entry.auth), record(entry.response)),
    ...(from === undefined ? {} : { from }),
    operation: login ? "login" : operation,
    service: text(request.mount_type, WORD) ?? "vault",
    requestId: id,
    sourceId: id,
    provider: "Vault",
    resource: resourceOf(place, scope, vault, version),
  };
  return facts(fact);
}

interface Place {
  readonly is: "secret" | "login" | "policy" | "auth role" | "mount" | "audit device";
  readonly uid: string;
  readonly name: string;
  /** Reading it gives out a credential whatever the operation is called. */
  readonly isUse?: boolean;
  readonly secretName?: string;
  readonly owner?: string;
}

/** Paths below ours have the form of keys. Anything else in them may be a value. */
const KEY = /^[a-z0-9/_.-]{1,200}$/;

function placeOf(path: string, scope: AuditScope): Place | undefined {
  const { kvMount, databaseMount, authMounts, policyPrefix, databaseRoles } = scope.vault;
  const below = (prefix: string): string | undefined => {
    const rest = path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : undefined;
    return rest !== undefined && KEY.test(rest) ? rest : undefined;
  };
  for (const part of ["data", "metadata", "delete", "undelete", "destroy"] as const) {
    const key = below(`${kvMount}/${part}`);
    if (key === undefined) continue;
    const secretName = `${scope.secretPrefix}${key}`;
    const known = scope.secrets[secretName];
    return {
      is: "secret",
      uid: `${kvMount}/${part}/${key}`,
      name: known?.key ?? secretName,
      secretName,
      ...(known?.owner === undefined ? {} : { owner: known.owner }),
    };
  }
  for (const part of ["creds", "static-creds"] as const) {
    const role = below(`${databaseMount}/${part}`);
    if (role === undefined) continue;
    return {
      is: "secret",
      uid: `${databaseMount}/${part}/${role}`,
      name: databaseRoles[role] ?? role,
      isUse: true,
    };
  }
  const inDatabase = below(databaseMount);
  if (inDatabase !== undefined)
    return { is: "mount", uid: `${databaseMount}/${inDatabase}`, name: databaseMount };
  const inKv = below(kvMount);
  if (inKv !== undefined) return { is: "mount", uid: `${kvMount}/${inKv}`, name: kvMount };
  for (const mount of authMounts) {
    if (path === `auth/${mount}/login`) return { is: "login", uid: path, name: mount };
    const role = below(`auth/${mount}`);
    if (role !== undefined) return { is: "auth role", uid: path, name: `${mount}/${role}` };
  }
  const policy = below("sys/policies/acl") ?? below("sys/policy");
  if (policy?.startsWith(policyPrefix)) return { is: "policy", uid: path, name: policy };
  // Whoever takes an audit device away, changes a mount of ours or an auth method is seen, whatever it is called.
  if (below("sys/audit") !== undefined)
    return { is: "audit device", uid: path, name: below("sys/audit") ?? "" };
  const mount = below("sys/mounts") ?? below("sys/auth");
  const ours = [kvMount, databaseMount, ...authMounts];
  return mount !== undefined && ours.some((name) => mount === name || mount.startsWith(`${name}/`))
    ? { is: "mount", uid: path, name: mount }
    : undefined;
}

function resourceOf(
  place: Place,
  scope: AuditScope,
  vault: string | undefined,
  version: string | undefined,
): OcsfResource {
  return {
    uid: place.uid,
    name: place.name,
    type: place.is === "secret" ? "Secret" : `Vault ${place.is}`,
    ...(version === undefined ? {} : { version }),
    data: present({
      registry: scope.registry,
      environment: scope.environment,
      store: "vault",
      vault,
      secretName: place.secretName,
      owner: place.owner,
    }),
  };
}

/** Numbers are not hashed: KV v2's version of what was written or read. */
function versionOf(answered: Readonly<Record<string, unknown>>): string | undefined {
  const found = answered.version ?? record(answered.metadata).version;
  return typeof found === "number" && Number.isInteger(found) ? `kv:${found}` : undefined;
}

const MEANINGS: Readonly<Record<string, { readonly activity: Activity; readonly isChange: boolean }>> = {
  create: { activity: "create", isChange: true },
  update: { activity: "update", isChange: true },
  patch: { activity: "update", isChange: true },
  delete: { activity: "delete", isChange: true },
  read: { activity: "read", isChange: false },
  list: { activity: "read", isChange: false },
};

/** Vault's faults are sentences that may quote what they were sent. */
const codeOf = (error: string): string =>
  /permission denied/i.test(error)
    ? "permission-denied"
    : /invalid|unsupported/i.test(error)
      ? "invalid-request"
      : "failed";

/** Names that Vault and Kubernetes give: display names, entities, ServiceAccounts, policies. */
const NAME = /^[\w.:@/-]{1,256}$/;

function actorOf(
  auth: Readonly<Record<string, unknown>>,
  response: Readonly<Record<string, unknown>>,
): OcsfActor {
  // A login has its identity in the answer.
  const who = typeof auth.display_name === "string" ? auth : record(response.auth);
  const metadata = record(who.metadata);
  const namespace = text(metadata.service_account_namespace, /^[a-z0-9.-]{1,253}$/);
  const account = text(metadata.service_account_name, /^[a-z0-9.-]{1,253}$/);
  const groups = [
    ...(namespace !== undefined && account !== undefined
      ? [{ name: `serviceaccount:${namespace}:${account}` }]
      : []),
    ...texts(who.policies, NAME).map((name) => ({ name: `policy:${name}` })),
  ];
  const uid = text(who.entity_id, /^[0-9a-fA-F-]{1,64}$/);
  const name = text(who.display_name, NAME);
  if (uid === undefined && name === undefined) return { invoked_by: "unknown" };
  const role = text(metadata.role, NAME);
  return present({
    user: {
      ...present({
        uid,
        name,
        type: text(who.token_type, WORD),
        credential_uid: text(who.accessor, /^hmac-sha256:[0-9a-f]{64}$/),
        groups: groups.length > 0 ? groups : undefined,
      }),
      type_id: 1 as const,
    },
    session: role === undefined ? undefined : { issuer: role },
  });
}
