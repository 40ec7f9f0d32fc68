import type { AuditScope } from "../audit-scope";
import { type AuditFact, facts, malformed, notOurs, type Reading } from "../normalised";
import { instant, LABEL, REGION, record, text, VERSION_ID } from "../safe-text";
import { secretOf, secretResource } from "../secret-names";

/**
 * Secrets Manager's own event, which needs no trail: a label has a new version. It does not say who moved it; CloudTrail's record
 * of the call does. Two of the same label, version and second are one event.
 *
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
 */
export function readLabelUpdated(event: Readonly<Record<string, unknown>>, scope: AuditScope): Reading {
  const detail = record(event.detail);
  const arn = Array.isArray(event.resources) ? event.resources[0] : undefined;
  const time = instant(event.time);
  const version = text(detail.versionId, VERSION_ID) ?? text(detail.versionId, /^[A-Za-z0-9-]{32,64}$/);
  if (time === undefined || typeof arn !== "string" || version === undefined)
    return malformed("label event: time, resources or detail.versionId");
  const secret = secretOf(arn, scope);
  if (secret === undefined) return notOurs("label of another secret");
  const label = text(detail.labelUpdated, LABEL) ?? "(another label)";
  const region = text(event.region, REGION);
  const fact: AuditFact = {
    identity: ["label-updated", arn, label, version, time.toISOString()],
    time,
    originalTime: String(event.time),
    activity: "update",
    isChange: true,
    actor: { invoked_by: "secretsmanager.amazonaws.com" },
    operation: "SecretLabelUpdated",
    service: "secretsmanager.amazonaws.com",
    sourceId: text(event.id, VERSION_ID) ?? version,
    provider: "AWS",
    ...(region === undefined ? {} : { region }),
    resource: secretResource(secret, scope, { version, data: { label } }),
    subject: { secret: secret.name, version },
  };
  return facts(fact);
}
