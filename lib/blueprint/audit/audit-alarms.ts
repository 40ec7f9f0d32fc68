import { AUDIT_METRIC, type AuditCount } from "../../contracts/audit-settings";
import { METRIC_NAMESPACE } from "../../model/names";
import type { AlarmPlan } from "../procedure/procedure-alarms";
import type { AuditPlan, AuditQueuePlan, AuditTrailInput } from "./audit-plan";

const MINUTES_5 = 300;
const HOUR = 3_600;

/** Alarms of an audit trail beside those of its functions, sorted by word. */
export function auditAlarms(
  input: AuditTrailInput,
  { events, deadLetters, sinks }: Pick<AuditPlan, "events" | "deadLetters" | "sinks">,
): readonly AlarmPlan[] {
  const { registry, environment, readBurst } = input;
  const counted = (what: AuditCount, description: string, more: Partial<AlarmPlan> = {}): AlarmPlan => ({
    word: `audit-${what}`,
    description,
    namespace: METRIC_NAMESPACE,
    metric: AUDIT_METRIC,
    dimensions: { registry, environment, what },
    statistic: "Sum",
    periodSeconds: MINUTES_5,
    whenMissing: "notBreaching",
    topic: "alarms",
    ...more,
  });
  const ofQueue = (
    word: string,
    { name }: AuditQueuePlan,
    metric: string,
    description: string,
    threshold: number,
  ): AlarmPlan => ({
    word,
    description,
    namespace: "AWS/SQS",
    metric,
    dimensions: { QueueName: name },
    statistic: "Maximum",
    periodSeconds: MINUTES_5,
    threshold,
    whenMissing: "notBreaching",
    topic: "alarms",
  });
  const age = "ApproximateAgeOfOldestMessage";
  return [
    counted("foreign-reads", "A secret was read by an identity that the registry does not know"),
    counted("break-glass-reads", "A secret was read by break-glass"),
    counted("reads", `${readBurst} reads of secrets in five minutes`, { threshold: readBurst }),
    counted("malformed", "Messages that nobody can read: look into the audit trail's dead letters"),
    // A zero with every heartbeat: an hour without one is the alarm.
    counted("silent", "An hour without a heartbeat: events do not reach the archive", {
      statistic: "Maximum",
      periodSeconds: HOUR,
      whenMissing: "breaching",
    }),
    ofQueue(
      "audit-dead-letters",
      deadLetters,
      "ApproximateNumberOfMessagesVisible",
      "Events that nobody took",
      1,
    ),
    ofQueue("audit-waiting", events, age, "Events wait for an hour to be archived", HOUR),
    ...sinks.map(({ name, queue }) =>
      ofQueue(
        `audit-sink-${name}-waiting`,
        queue,
        age,
        `${name} takes no events: they wait for an hour`,
        HOUR,
      ),
    ),
  ].sort((a, b) => (a.word < b.word ? -1 : 1));
}
