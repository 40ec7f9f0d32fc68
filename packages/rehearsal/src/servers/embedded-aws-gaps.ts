import {
  CreateSecretCommand,
  type CreateSecretCommandInput,
  type CreateSecretCommandOutput,
  DescribeSecretCommand,
  ReplicateSecretToRegionsCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";

/**
 * A difference between the embedded AWS (ministack 1.5.33) and AWS, as far as access to secrets is concerned, and what we
 * do about each. A test per entry fails when upstream fixes it: then the entry, its workaround and what leans
 * on it go.
 */
export interface EmbeddedAwsGap {
  /** AWS's behaviour. */
  readonly aws: string;
  /** The embedded AWS's behaviour. */
  readonly embedded: string;
  /** The rehearsal's answer to it. */
  readonly so: string;
}

/** The gaps by name. */
export const EMBEDDED_AWS_GAPS = {
  "root-unchecked": {
    aws: "Requests of the root user are signed like all others.",
    embedded: "A key id of twelve digits, or `test`, is the root user, whatever it signs with.",
    so: "Root sets things up; an assertion never acts as root.",
  },
  "error-names": {
    aws: "A failed function's error has the name that it was thrown with, and a state machine's Retry and Catch match it.",
    embedded: "Every error of a function is called Runtime.HandlerError.",
    so: "`embeddedDefinition` lets state machines recognise retryable errors by the code that their message begins with.",
  },
  "task-answers": {
    aws: "SendTaskSuccess and SendTaskFailure are judged by the state machine whose task the token is of.",
    embedded: "They are judged by the resource `*`, so a right on the state machine does not help.",
    so: "`loadOperations` gives the approval gate the answer on every resource; whoever lacks the action is refused all the same.",
  },
  "metric-namespace-key": {
    aws: "`cloudwatch:namespace` has the namespace of the metrics that a call writes.",
    embedded: "The condition key is unknown: an Allow with it never matches.",
    so: "`loadOperations` allows it for every namespace; the evaluator holds the calls against the policy as it is.",
  },
  "batched-sends": {
    aws: "SendMessageBatch is judged by sqs:SendMessage.",
    embedded: "It is judged as an action of its own, which AWS does not know.",
    so: "`loadOperations` allows sqs:SendMessageBatch wherever sqs:SendMessage is; the shim's records name the right that AWS asks for.",
  },
  "key-alias-resource": {
    aws: "A call of KMS that names a key by its alias is judged by the key: its ARN, and its aliases as `kms:ResourceAliases`.",
    embedded:
      "It is judged by the alias's ARN, and the condition key is unknown: an Allow for keys with it never matches.",
    so: "`loadOperations` allows kms:GenerateMac and kms:VerifyMac on the alias; the evaluator holds the calls against the policy as it is.",
  },
  "mac-algorithm-key": {
    aws: "`kms:MacAlgorithm` has the algorithm that a call of GenerateMac or VerifyMac names.",
    embedded: "The condition key is unknown: an Allow with it never matches.",
    so: "`loadOperations` leaves it out of the audit key's policy; the evaluator decides about it.",
  },
  "replicas-at-creation": {
    aws: "CreateSecret makes the replicas that AddReplicaRegions names.",
    embedded: "CreateSecret ignores AddReplicaRegions.",
    so: "`createReplicatedSecret` calls ReplicateSecretToRegions after it.",
  },
  "empty-first-version": {
    aws: "A secret that was created without a value has no version, and GetSecretValue says ResourceNotFoundException.",
    embedded: "It has a version AWSCURRENT without a value, and GetSecretValue succeeds with nothing in it.",
    so: "A read counts as a read only when it brings a value.",
  },
  "kms-not-asked": {
    aws: "Reading a secret with a customer key needs kms:Decrypt of the caller, through kms:ViaService and with the encryption context.",
    embedded:
      "KMS is not asked at all, so kms:ViaService never has a value. Replicas do not need a key that exists either.",
    so: "The evaluator decides about KMS; such rows count as evaluated, never as enforced.",
  },
  "encryption-context-key": {
    aws: "`kms:EncryptionContext:<key>` has the value that the request gives.",
    embedded: "The condition key is unknown: an Allow with it never matches, a Deny with it is void.",
    so: "The evaluator decides about statements with it.",
  },
  "resource-tag-key": {
    aws: "`secretsmanager:ResourceTag/<tag>` has the secret's tag.",
    embedded: "The condition key is unknown: an Allow with it never matches, a Deny with it is void.",
    so: "The evaluator decides about statements with it; the blueprint has none.",
  },
  "web-identity-token-unverified": {
    aws: "AssumeRoleWithWebIdentity verifies signature, expiry, and that the OIDC provider exists and knows the audience.",
    embedded: "It reads issuer, audience and subject for the trust policy, and verifies nothing.",
    so: "Its trust rows are enforced for those three claims only. Forged and expired tokens are refused by OpenBao and TokenReview.",
  },
  "web-identity-issuer-slash": {
    aws: "An identity provider's ARN and its condition keys carry the issuer as its tokens say it, with the slash at its end where it has one (AKS).",
    embedded: "The slash is cut off what a token says, so a trust policy with it takes no token.",
    so: "`loadRole` and the OIDC provider leave it out of what is loaded; the evaluator reads the policy as it is.",
  },
  "web-identity-audience-list": {
    aws: "A token's `aud` may be a text or a list, as Kubernetes writes it.",
    embedded: "A list never equals anything: such a token is refused.",
    so: '`ClusterIssuer.token` with `audienceForm: "text"` for AssumeRoleWithWebIdentity.',
  },
} as const satisfies Readonly<Record<string, EmbeddedAwsGap>>;

/** Name of a gap. */
export type EmbeddedAwsGapName = keyof typeof EMBEDDED_AWS_GAPS;

/**
 * CreateSecret, with `AddReplicaRegions` as AWS takes them. Works around `replicas-at-creation`; on AWS itself
 * it does nothing more than CreateSecret.
 */
export async function createReplicatedSecret(
  client: SecretsManagerClient,
  input: CreateSecretCommandInput,
): Promise<CreateSecretCommandOutput> {
  const created = await client.send(new CreateSecretCommand(input));
  const wanted = input.AddReplicaRegions ?? [];
  const { ReplicationStatus: existing = [] } = await client.send(
    new DescribeSecretCommand({ SecretId: created.ARN }),
  );
  const missing = wanted.filter(({ Region }) => !existing.some((replica) => replica.Region === Region));
  if (missing.length > 0) {
    await client.send(
      new ReplicateSecretToRegionsCommand({ SecretId: created.ARN, AddReplicaRegions: missing }),
    );
  }
  return created;
}
