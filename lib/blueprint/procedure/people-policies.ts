import { inboxesOf } from "../../model/names";
import { type PolicyDocument, type PolicyStatement, policyDocument } from "../../model/policy-document";
import type { Environment } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { hasInbox, isSupplied } from "../../model/supplied-values";
import { arnsIn, inboxArnsIn, throughSecretsManager, withinOneRole } from "../functions/function-rights";
import { statement } from "../functions/target-rights";
import { bucketArn, executionArns, secretArnPrefixIn, tableArn } from "../platform/aws-arns";
import { functionArns, type ProcedureScope } from "./procedure-rights";

/** Policies of people's roles, which this stack writes as files and attaches to nobody. */

/** A managed policy's room for the ARNs of secrets, beside the other statements. */
const PEOPLE_LENGTH = 1_500;

/**
 * Policy of an operator's role. People's roles belong to others, so this is handed out as a file. It starts no rotation
 * and calls no rotation function: only the dispatcher does, which asks for the change request.
 */
export function operatorPolicy(scope: ProcedureScope): PolicyDocument {
  const { environment, names, secrets } = scope;
  const { primary } = environment.regions;
  const arns = (chosen: readonly EnvironmentSecret[]): readonly string[] =>
    withinOneRole(environment, arnsIn(environment, primary, chosen), PEOPLE_LENGTH);
  const supplied = secrets.filter(hasInbox);
  const taken = secrets.filter((secret) => secret.rotation === "operator-assisted" && !isSupplied(secret));
  return policyDocument(
    statement("AskDispatcher", ["lambda:InvokeFunction"], functionArns(environment, [names.dispatcher])),
    ...follow(scope),
    statement(
      "SeeConfirmations",
      ["dynamodb:GetItem"],
      [tableArn(environment, primary, names.publicationsTable)],
    ),
    statement("SeeVersions", ["secretsmanager:DescribeSecret"], arns(secrets)),
    ...(supplied.length > 0
      ? [
          // Into inboxes, which they cannot read.
          statement(
            "SupplyValues",
            ["secretsmanager:PutSecretValue"],
            withinInboxes(environment, inboxArnsIn(environment, supplied)),
          ),
          throughSecretsManager(
            environment,
            "EncryptWhatIsSupplied",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [primary],
            inboxesOf(environment.name),
          ),
        ]
      : []),
    ...(taken.length > 0
      ? [
          // A value that rules made is taken to its target by a person, who reads it while it waits, and no other.
          // Each secret's own policy says so.
          statement("TakeMadeValues", ["secretsmanager:GetSecretValue"], arns(taken)),
          throughSecretsManager(environment, "DecryptMadeValues", ["kms:Decrypt"], [primary]),
        ]
      : []),
  );
}

/** Inboxes by name, or all of the environment where the names outgrow the policy: people can write them and nothing else. */
const withinInboxes = (environment: Environment, arns: readonly string[]): readonly string[] =>
  arns.reduce((sum, arn) => sum + arn.length + 3, 0) <= PEOPLE_LENGTH
    ? arns
    : [`${secretArnPrefixIn(environment, environment.regions.primary, inboxesOf(environment.name))}*`];

/** Policy of an approver's role: to see the run, and to decide at the gate, which checks who is asking. */
export function approverPolicy(scope: ProcedureScope): PolicyDocument {
  const { environment, names } = scope;
  return policyDocument(
    statement("Decide", ["lambda:InvokeFunction"], functionArns(environment, [names.approvalGate])),
    ...follow(scope),
  );
}

/**
 * Policy of a role for `secrets-registry failover`, there and back: to look at replicas, to cut them loose, to end
 * rotations, and to replicate over what was left behind. It reads and writes no value. It is for the day of the loss, so it
 * is kept apart from what operators have every day; keys take it from `principals.operators` and `breakGlass` alone.
 *
 * All of it holds in every region of the environment: each can be the one that is lost, takes over or comes back, and when
 * that day has come IAM itself may be away, which takes no new policy then.
 */
export function failoverPolicy({ environment, secrets }: ProcedureScope): PolicyDocument {
  const { allRegions } = environment;
  const arns = withinOneRole(environment, arnsIn(environment, "*", secrets), PEOPLE_LENGTH, "*");
  const here = { "aws:RequestedRegion": allRegions };
  return policyDocument(
    {
      ...statement(
        "PromoteReplicas",
        [
          "secretsmanager:CancelRotateSecret",
          "secretsmanager:DescribeSecret",
          "secretsmanager:ListSecretVersionIds",
          "secretsmanager:StopReplicationToReplica",
        ],
        arns,
      ),
      Condition: { StringEquals: here },
    },
    {
      ...statement("ReplicateAgain", ["secretsmanager:ReplicateSecretToRegions"], arns),
      Condition: {
        StringEquals: here,
        // A call of this action names at least one region, so "for all values" is never true of none.
        // https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets-permissions.html
        "ForAllValues:StringEquals": { "secretsmanager:AddReplicaRegions": allRegions },
      },
    },
    // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
    throughSecretsManager(
      environment,
      "EncryptReplicas",
      ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
      allRegions,
    ),
  );
}

/** Policy of the role of CI's jobs: to bring change requests to the gate. */
export function ciPolicy({ environment, names }: ProcedureScope): PolicyDocument {
  return policyDocument(
    statement("VouchForChanges", ["lambda:InvokeFunction"], functionArns(environment, [names.changeGate])),
  );
}

/**
 * Policy of a role for `secrets-registry preflight`: to read about trails, principals and quotas. It reaches no secret, and
 * may be given to whoever plans a deployment.
 */
export function preflightPolicy({ environment }: Pick<ProcedureScope, "environment">): PolicyDocument {
  const { deployer, operators, approvers, breakGlass, ci } = environment.principals;
  const principals = [deployer, ...operators, ...approvers, ...breakGlass, ...(ci === undefined ? [] : [ci])];
  return policyDocument(
    statement(
      "SeeTrails",
      ["cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
      ["*"],
    ),
    statement("SeePrincipals", ["iam:GetRole", "iam:GetUser"], [...new Set(principals)].sort()),
    statement("SimulateDeployer", ["iam:SimulatePrincipalPolicy"], [deployer]),
    statement(
      "SeeAccount",
      ["iam:GetAccountSummary", "iam:GetOutboundWebIdentityFederationInfo", "iam:ListRoles"],
      ["*"],
    ),
    statement(
      "SeeOidcProviders",
      ["iam:GetOpenIDConnectProvider"],
      [`arn:${environment.partition}:iam::${environment.account}:oidc-provider/*`],
    ),
  );
}

/** Runs, executions and records, to be read. */
function follow({ environment, names }: ProcedureScope): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  const bucket = bucketArn(environment, names.recordsBucket);
  return [
    {
      ...statement(
        "SeeRuns",
        ["dynamodb:GetItem", "dynamodb:Query"],
        [tableArn(environment, primary, names.runsTable)],
      ),
      // Not the tokens of executions that wait, which lie in partitions of another name.
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [`${environment.name}/*`] } },
    },
    statement(
      "SeeExecutions",
      ["states:DescribeExecution", "states:GetExecutionHistory"],
      [executionArns(environment, primary, names.stateMachine)],
    ),
    statement("ListRecords", ["s3:ListBucket"], [bucket]),
    statement("ReadRecords", ["s3:GetObject"], [`${bucket}/*`]),
  ];
}
