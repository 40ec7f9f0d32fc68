import { CADENCE_METRIC, CADENCE_STATES, METRIC_NAMESPACE } from "../../model/names";
import type { Environment, Registry } from "../../model/registry";

/** Alarms of the procedure. */

/** A CloudWatch alarm at the first data point of its threshold or more. */
export interface AlarmPlan {
  /** The alarm as one word of Terraform addresses, and the end of its name. */
  readonly word: string;
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Sum" | "Maximum";
  readonly periodSeconds: number;
  /** @default 1 */
  readonly threshold?: number;
  /** State of the alarm without data. `breaching`: silence is an alarm as well. */
  readonly whenMissing: "breaching" | "notBreaching";
  readonly topic: "alarms" | "reminders";
}

/** The watcher comes hourly; three hours without it are no delay any more. */
const WATCH_PERIOD_SECONDS = 3 * 3_600;

const MINUTES_5 = 300;

const STATE_TEXTS = {
  due: "Secrets that people have to rotate soon",
  overdue: "Secrets that were not rotated on their cadence",
  stuck: "Rotations, replicas or Vaults that stand still",
  unproven: "Current values that have passed no test: somebody has put them past the procedure",
} as const;

/** The alarms of one environment, sorted by word. */
export function alarmsOf(
  registry: Registry,
  environment: Environment,
  machineArn: string,
): readonly AlarmPlan[] {
  const executions = (word: string, metric: string, description: string): AlarmPlan => ({
    word,
    description,
    namespace: "AWS/States",
    metric,
    dimensions: { StateMachineArn: machineArn },
    statistic: "Sum",
    periodSeconds: MINUTES_5,
    whenMissing: "notBreaching",
    topic: "alarms",
  });
  return [
    executions(
      "runs-aborted",
      "ExecutionsAborted",
      "A run was stopped by hand: its secret stays locked until it is called back",
    ),
    executions("runs-failed", "ExecutionsFailed", "A run came to no good end: a person has to look"),
    ...CADENCE_STATES.map(
      (state): AlarmPlan => ({
        word: state,
        description: STATE_TEXTS[state],
        namespace: METRIC_NAMESPACE,
        metric: CADENCE_METRIC,
        dimensions: { registry: registry.id, environment: environment.name, state },
        statistic: "Maximum",
        periodSeconds: WATCH_PERIOD_SECONDS,
        // A watcher that no longer comes must not look like peace.
        whenMissing: state === "overdue" ? "breaching" : "notBreaching",
        topic: state === "due" ? "reminders" : "alarms",
      }),
    ),
  ];
}
