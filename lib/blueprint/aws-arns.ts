import { parsePrincipal } from "../model/grammar";

/** ARNs that follow from names alone: known before any cloud is asked, so no policy needs a token. */

/** Where an ARN lives. */
export interface AccountScope {
  readonly partition: string;
  readonly account: string;
}

/**
 * Pattern of a secret's ARN. Secrets Manager adds a hyphen and six characters of its own, the same in every replica;
 * six `?` match just those, where `*` would also match names that go on.
 */
export const secretArnPattern = (scope: AccountScope, region: string, name: string): string =>
  `arn:${scope.partition}:secretsmanager:${region}:${scope.account}:secret:${name}-??????`;

/**
 * Prefix under which all secrets of an environment lie, in any region: what an encryption context is held against.
 */
export const secretArnPrefix = (scope: AccountScope, environment: string): string =>
  `arn:${scope.partition}:secretsmanager:*:${scope.account}:secret:${environment}/*`;

/** Every key of the account in a region; always narrowed by `kms:ViaService` and the encryption context. */
export const anyKeyArn = (scope: AccountScope, region: string): string =>
  `arn:${scope.partition}:kms:${region}:${scope.account}:key/*`;

/** ARN of an IAM role. */
export const roleArn = (scope: AccountScope, path: string, name: string): string =>
  `arn:${scope.partition}:iam::${scope.account}:role${path}${name}`;

/** ARN of a customer managed policy. */
export const managedPolicyArn = (scope: AccountScope, path: string, name: string): string =>
  `arn:${scope.partition}:iam::${scope.account}:policy${path}${name}`;

/** The account's root as a principal: in a key policy it hands the decision to IAM. */
export const rootArn = (scope: AccountScope): string => `arn:${scope.partition}:iam::${scope.account}:root`;

/** ARN of the IAM OIDC provider of an issuer. */
export const oidcProviderArn = (scope: AccountScope, issuer: string): string =>
  `arn:${scope.partition}:iam::${scope.account}:oidc-provider/${issuer.replace(/^https:\/\//, "")}`;

/** Secrets Manager's service name in a region, as `kms:ViaService` has it. */
export const secretsManagerService = (region: string): string =>
  `secretsmanager.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;

/**
 * The values that `aws:PrincipalArn` may have for a principal. AWS puts the role's ARN there for an assumed
 * role; some AWS-compatible servers put the session's. Policies list both, so that they mean the same in either
 * place.
 */
export function principalArnValues(arn: string): readonly string[] {
  const principal = parsePrincipal(arn);
  if (principal?.type !== "role") return [arn];
  return [arn, `arn:${principal.partition}:sts::${principal.account}:assumed-role/${principal.name}/*`];
}
