import type { AuditScope, KnownPrincipal } from "./audit-scope";
import type { OcsfActor, OcsfEndpoint } from "./ocsf";
import { ADDRESS, ARN, AWS_ID, DNS_NAME, IAM_NAME, instant, present, record, text, WORD } from "./safe-text";

/** Identity of the actor, by CloudTrail's `userIdentity`. */
export interface AwsIdentity {
  readonly actor: OcsfActor;
  /** ARN by which the registry knows the principal: of the role behind a session, or of the user. */
  readonly principal: string | undefined;
  readonly known: KnownPrincipal | undefined;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_sourceidentity */
const SOURCE_IDENTITY = /^[\w+=,.@-]{2,64}$/;
const SERVICE_ACCOUNT_USER = /^system:serviceaccount:([a-z0-9.-]{1,253}):([a-z0-9.-]{1,253})$/;
const NUMBER = /^\d{12}$/;

/**
 * The whole chain: session, role, source identity, and the ServiceAccount behind a web identity. A session of a workload's role does
 * not name its ServiceAccount; the role's trust takes exactly one, so the registry does.
 *
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 */
export function awsIdentity(userIdentity: unknown, scope: AuditScope): AwsIdentity {
  const user = record(userIdentity);
  const context = record(user.sessionContext);
  const issuer = record(context.sessionIssuer);
  const attributes = record(context.attributes);
  const arn = text(user.arn, ARN);
  const roleArn = text(issuer.arn, ARN) ?? (text(user.type, WORD) === "Role" ? arn : undefined);
  const principal = roleArn ?? arn;
  const known = principal === undefined ? undefined : scope.principals[principal];
  const type = text(user.type, WORD);
  const account = text(user.accountId, NUMBER);
  const userName = text(user.userName, IAM_NAME) ?? serviceAccountIn(user.userName);
  const serviceAccount = known?.serviceAccount ?? serviceAccountIn(user.userName);
  const invokedBy = text(user.invokedBy, DNS_NAME) ?? text(user.invokedBy, /^AWS Internal$/);
  const provider =
    text(record(context.webIdFederationData).federatedProvider, ARN) ?? text(user.identityProvider, ARN);
  const groups = [
    ...(known ? [{ name: `${known.is}:${known.name}` }] : []),
    ...(serviceAccount === undefined ? [] : [{ name: `serviceaccount:${serviceAccount}` }]),
  ];
  const session = present({
    uid: type === "AssumedRole" ? arn?.split("/").at(-1) : undefined,
    issuer: roleArn === arn ? undefined : roleArn,
    uid_alt: text(context.sourceIdentity, SOURCE_IDENTITY),
    is_mfa:
      attributes.mfaAuthenticated === "true"
        ? true
        : attributes.mfaAuthenticated === "false"
          ? false
          : undefined,
    created_time: instant(attributes.creationDate)?.getTime(),
  });
  const found = present({
    uid: arn ?? (type === "Root" && account ? `arn:${scope.partition}:iam::${account}:root` : undefined),
    name: userName ?? text(issuer.userName, IAM_NAME),
    type,
    uid_alt: text(user.principalId, AWS_ID),
    credential_uid: text(user.accessKeyId, /^[A-Z0-9]{16,128}$/),
    account: account === undefined ? undefined : ({ uid: account, type_id: 10 } as const),
    groups: groups.length > 0 ? groups : undefined,
  });
  const isNamed = found.uid !== undefined || found.name !== undefined || found.account !== undefined;
  const invoker = invokedBy ?? (isNamed ? undefined : "unknown");
  return {
    principal,
    known,
    actor: present({
      user: isNamed ? { ...found, type_id: typeOf(type) } : undefined,
      session: Object.keys(session).length > 0 ? session : undefined,
      idp: provider === undefined ? undefined : { name: provider },
      invoked_by: invoker,
    }),
  };
}

const typeOf = (type: string | undefined): 0 | 1 | 2 | 3 =>
  type === undefined || type === "Unknown" ? 0 : type === "Root" ? 2 : type === "AWSService" ? 3 : 1;

/** `backend:backend` of `system:serviceaccount:backend:backend`. */
function serviceAccountIn(userName: unknown): string | undefined {
  const [, namespace, name] = (typeof userName === "string" && SERVICE_ACCOUNT_USER.exec(userName)) || [];
  return namespace === undefined ? undefined : `${namespace}:${name}`;
}

/** Source of a call: CloudTrail's `sourceIPAddress`, an address or the name of a service. */
export function endpointOf(source: unknown): OcsfEndpoint | undefined {
  const ip = text(source, ADDRESS);
  if (ip !== undefined) return { ip };
  const service = text(source, DNS_NAME) ?? text(source, /^AWS Internal$/);
  return service === undefined ? undefined : { svc_name: service };
}
