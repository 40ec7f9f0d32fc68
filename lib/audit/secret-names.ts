import type { AuditScope } from "./audit-scope";
import type { OcsfResource } from "./ocsf";
import { REGION } from "./safe-text";

/** A secret that a record names. */
export interface NamedSecret {
  /** `prod/db/app-primary`. */
  readonly name: string;
  /** Key in the registry; `undefined`: the registry does not have it, or no more. */
  readonly key: string | undefined;
  readonly owner: string | undefined;
  /** ARN, as far as the record or the name gives it. */
  readonly arn: string;
}

/** Form of names below the environment's prefix. Anything else may be a value that somebody put into the wrong field. */
const NAME = /^[a-z0-9/_.-]{1,200}$/;
/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html: names end in six characters of AWS. */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

/**
 * A secret of the environment, by whatever a caller may name it: name, ARN, or ARN without its last characters.
 *
 * @returns `undefined` for one of others
 */
export function secretOf(id: unknown, scope: AuditScope): NamedSecret | undefined {
  if (typeof id !== "string" || id.length > 512) return undefined;
  const start = `arn:${scope.partition}:secretsmanager:`;
  if (!id.startsWith("arn:")) return named(id, scope, undefined);
  if (!id.startsWith(start)) return undefined;
  const [region = "", account, type, ...rest] = id.slice(start.length).split(":");
  const ended = rest.join(":");
  if (account !== scope.account || type !== "secret" || !REGION.test(region)) return undefined;
  const whole = ended.replace(SUFFIX, "");
  return scope.secrets[ended] ? named(ended, scope, id) : named(whole, scope, id);
}

function named(name: string, scope: AuditScope, arn: string | undefined): NamedSecret | undefined {
  if (!name.startsWith(scope.secretPrefix) || !NAME.test(name)) return undefined;
  const known = scope.secrets[name];
  return {
    name,
    key: known?.key,
    owner: known?.owner,
    arn: arn ?? `arn:${scope.partition}:secretsmanager:${scope.region}:${scope.account}:secret:${name}`,
  };
}

/** A secret as an event's resource, in the registry's words. */
export const secretResource = (
  secret: NamedSecret,
  scope: AuditScope,
  more: { readonly version?: string | undefined; readonly data?: OcsfResource["data"] } = {},
): OcsfResource => ({
  uid: secret.arn,
  name: secret.key ?? secret.name,
  type: "Secret",
  ...(more.version === undefined ? {} : { version: more.version }),
  data: {
    registry: scope.registry,
    environment: scope.environment,
    store: "aws",
    secretName: secret.name,
    inRegistry: secret.key !== undefined,
    ...(secret.owner === undefined ? {} : { owner: secret.owner }),
    ...more.data,
  },
});
