import { VAULT_SOURCE } from "../../contracts/audit-events";
import { policyDocument } from "../../model/policy-document";
import { statement } from "../functions/target-rights";
import type { RecordsPlan } from "../procedure/procedure-plan";
import type { AuditPlan, AuditSinkPlan, AuditTrailInput } from "./audit-plan";

/** All secrets of the environment: what is there and not in the registry has a history too. */
const watchedSecrets = (input: AuditTrailInput): string =>
  `arn:${input.partition}:secretsmanager:${input.regions.primary}:${input.account}:secret:${input.scope.secretPrefix}*`;

/** Policies of people and shippers around an audit trail. */
export function auditPeople(
  input: AuditTrailInput,
  archive: RecordsPlan,
  sinks: readonly AuditSinkPlan[],
  bus: string,
): AuditPlan["people"] {
  return {
    reviewer: policyDocument(
      statement("ListEvents", ["s3:ListBucket"], [archive.arn]),
      statement("ReadEvents", ["s3:GetObject"], [`${archive.arn}/events/*`]),
      ...(sinks.length === 0
        ? []
        : [
            statement(
              "ReplayEvents",
              ["sqs:SendMessage"],
              sinks.map(({ queue }) => queue.arn),
            ),
          ]),
      statement(
        "SeeVersions",
        ["secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"],
        [watchedSecrets(input)],
      ),
      statement(
        "SeeTrails",
        ["cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
        ["*"],
      ),
    ),
    shipper: policyDocument({
      ...statement("ShipVaultEntries", ["events:PutEvents"], [bus]),
      Condition: { StringEquals: { "events:source": [VAULT_SOURCE] } },
    }),
  };
}
