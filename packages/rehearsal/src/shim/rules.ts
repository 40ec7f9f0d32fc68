/**
 * A refusal, or other behaviour, of AWS that the embedded AWS (ministack 1.5.33) lacks. The shim stands in for
 * AWS there. A test per entry shows that the embedded AWS alone still lacks it: when it fails after an upgrade,
 * the entry and what the shim does for it go.
 */
export interface ShimRule {
  /** AWS's behaviour. */
  readonly aws: string;
  /** AWS's page that says so. */
  readonly source: string;
  /** The embedded AWS's behaviour. */
  readonly embedded: string;
}

const SECRETS_API = "https://docs.aws.amazon.com/secretsmanager/latest/apireference";

/** The rules by name. */
export const SHIM_RULES = {
  "token-names-one-value": {
    aws: "PutSecretValue with a ClientRequestToken that a version has, and another value: ResourceExistsException. With the same value: nothing happens.",
    source: `${SECRETS_API}/API_PutSecretValue.html`,
    embedded: "The value is overwritten, and the version loses the labels that the request does not name.",
  },
  "token-length": {
    aws: "ClientRequestToken has 32 to 64 characters: else InvalidParameterException.",
    source: `${SECRETS_API}/API_PutSecretValue.html`,
    embedded: "Any length passes.",
  },
  "one-value": {
    aws: "PutSecretValue takes SecretString or SecretBinary, not both and not neither: InvalidParameterException.",
    source: `${SECRETS_API}/API_PutSecretValue.html`,
    embedded: "Both and neither pass.",
  },
  "value-size": {
    aws: "A value has 1 to 65,536 bytes: else InvalidParameterException.",
    source: `${SECRETS_API}/API_PutSecretValue.html`,
    embedded: "Any size passes.",
  },
  "label-on-one-version": {
    aws: "PutSecretValue with a label that another version has moves the label.",
    source: `${SECRETS_API}/API_PutSecretValue.html`,
    embedded: "Both versions have it.",
  },
  "first-value-is-current": {
    aws: "A secret's first value gets AWSCURRENT whatever labels were asked for. Before it the secret has no version.",
    source: `${SECRETS_API}/API_PutSecretValue.html`,
    embedded:
      "CreateSecret without a value makes a version AWSCURRENT without one, and the first value does not replace it.",
  },
  "no-empty-value": {
    aws: "GetSecretValue of a version without a value: ResourceNotFoundException.",
    source: `${SECRETS_API}/API_GetSecretValue.html`,
    embedded: "It answers without SecretString and SecretBinary.",
  },
  "current-stays": {
    aws: "UpdateSecretVersionStage moves AWSCURRENT and never removes it: InvalidParameterException.",
    source: `${SECRETS_API}/API_UpdateSecretVersionStage.html`,
    embedded: "AWSCURRENT can be removed.",
  },
  "replicas-at-creation": {
    aws: "CreateSecret makes the replicas that AddReplicaRegions names.",
    source: `${SECRETS_API}/API_CreateSecret.html`,
    embedded: "AddReplicaRegions is ignored.",
  },
  "remove-replicas": {
    aws: "RemoveRegionsFromReplication deletes the replicas in the named regions.",
    source: `${SECRETS_API}/API_RemoveRegionsFromReplication.html`,
    embedded: "There is no such operation.",
  },
  "policy-is-json": {
    aws: "PutResourcePolicy with what is no policy of at most 20,480 characters: MalformedPolicyDocumentException.",
    source: `${SECRETS_API}/API_PutResourcePolicy.html`,
    embedded: "Any text passes.",
  },
  rotation: {
    aws: "RotateSecret makes an empty AWSPENDING version and lets the function take the four steps.",
    source:
      "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html",
    embedded: "RotateSecret makes a copy of the value AWSCURRENT and calls nobody.",
  },
  "cancel-rotation": {
    aws: "CancelRotateSecret turns rotation off.",
    source: `${SECRETS_API}/API_CancelRotateSecret.html`,
    embedded: "There is no such operation.",
  },
  "promote-replica": {
    aws: "StopReplicationToReplica, called in a replica's region, makes it a secret of its own with the same versions, labels, policy and key, that can be written and rotated there. What is no replica: InvalidRequestException.",
    source: `${SECRETS_API}/API_StopReplicationToReplica.html`,
    embedded:
      "There is no such operation. The shim makes the secret anew in the replica's place; other than at AWS, its ARN ends in new characters, and its versions are as old as the promotion.",
  },
  "two-access-keys": {
    aws: "CreateAccessKey for a user with two keys: LimitExceeded.",
    source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
    embedded: "A third key is made.",
  },
  "access-key-last-used": {
    aws: "GetAccessKeyLastUsed says when a key was used last.",
    source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html",
    embedded: "No key has ever been used.",
  },
  "access-key-belongs-to-user": {
    aws: "GetAccessKeyLastUsed is authorised for the user that has the key.",
    source:
      "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html",
    embedded: "It is authorised for `*`, so a right to one user's keys never suffices.",
  },
  "tags-belong-to-their-group": {
    aws: "ListTagsForResource and AddTagsToResource of ElastiCache are authorised for the resource that has the tags.",
    source: "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html",
    embedded: "They are authorised for `*`, so a right to one group's tags never suffices.",
  },
  "function-role-trusts-lambda": {
    aws: "CreateFunction with a role whose trust policy does not name lambda.amazonaws.com: InvalidParameterValueException.",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    embedded: "Any role is taken, even one that does not exist.",
  },
  "alarms-in-forms": {
    aws: "DescribeAlarms gives all of an alarm in every protocol.",
    source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html",
    embedded:
      "Asked by a form, it leaves out actions, description, dimensions, period, statistic and what is made of missing data.",
  },
  "secure-transport": {
    aws: "`aws:SecureTransport` is true for what comes over TLS, as everything does that goes to AWS's own endpoints.",
    source:
      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport",
    embedded: "It speaks no TLS, so that a Deny of what comes without hits everything.",
  },
  "if-none-match-key": {
    aws: "`s3:if-none-match` is there when a write has that header, so a bucket can insist on it.",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html",
    embedded:
      "The condition key is unknown, hence always missing: a Deny of writes without it denies every write. The shim judges statements about nothing else.",
  },
  "leading-keys": {
    aws: "`dynamodb:LeadingKeys` has the partition keys of the items that a call is about, those of a transaction one by one.",
    source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html",
    embedded:
      "The condition key is unknown, and ForAllValues is true of what is missing: a right on some items is one on all. The shim judges roles that have such a right.",
  },
  "source-function-key": {
    aws: "`lambda:SourceFunctionArn` has the ARN of the function whose code makes a call, and no other session of its role has it.",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html",
    embedded:
      "The condition key is unknown: an Allow with it never matches. The shim shows it policies without, and judges who calls.",
  },
  "web-identity-token": {
    aws: "GetWebIdentityToken gives a token of the account's issuer for the caller's role, signed as its keys say.",
    source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html",
    embedded: "The token is for the account's root, from another issuer, and signed with a fixed HMAC key.",
  },
} as const satisfies Readonly<Record<string, ShimRule>>;

/** Name of a rule. */
export type ShimRuleName = keyof typeof SHIM_RULES;
