/**
 * Actions that show, change or unprotect, by what they are done to.
 *
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
 */
export const SECRET_ACTIONS = {
  read: ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"],
  write: ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
  administer: [
    "secretsmanager:UpdateSecret",
    "secretsmanager:PutResourcePolicy",
    "secretsmanager:DeleteResourcePolicy",
    "secretsmanager:DeleteSecret",
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:RotateSecret",
    "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:StopReplicationToReplica",
  ],
} as const;

/** Use of a key on data, and what gives that away. */
export const KEY_ACTIONS = [
  "kms:Decrypt",
  "kms:CreateGrant",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyPair",
  "kms:GenerateDataKeyPairWithoutPlaintext",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:GenerateMac",
  "kms:VerifyMac",
  "kms:Sign",
] as const;

/** Taking a role. */
export const TAKING = ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:AssumeRole"] as const;

/** Rewriting a role, or handing it to a service. */
export const REWRITING = [
  "iam:UpdateAssumeRolePolicy",
  "iam:PutRolePolicy",
  "iam:AttachRolePolicy",
  "iam:DetachRolePolicy",
  "iam:DeleteRolePolicy",
  "iam:PutRolePermissionsBoundary",
  "iam:DeleteRolePermissionsBoundary",
  "iam:PassRole",
] as const;

/** Being a function, or having it act. */
export const CODE = [
  "lambda:UpdateFunctionCode",
  "lambda:UpdateFunctionConfiguration",
  "lambda:UpdateFunctionCodeSigningConfig",
  "lambda:DeleteFunctionCodeSigningConfig",
  "lambda:AddPermission",
  "lambda:UpdateAlias",
  "lambda:CreateFunctionUrlConfig",
  "lambda:InvokeFunction",
] as const;
