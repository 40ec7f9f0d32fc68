import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import type { Construct } from "constructs";
import type { AlarmPlan, Tags } from "../../blueprint";
import { setAddress } from "../address";

/** Settings of an alarm beside its plan. */
export interface MetricAlarmProps {
  readonly region: string;
  readonly provider?: AwsProvider;
  /** ARN of the topic that hears of it, beginning and end. */
  readonly topicArn: string;
  readonly tags: Tags;
}

/** An alarm at the first data point of its threshold or more. */
export function metricAlarm(scope: Construct, plan: Omit<AlarmPlan, "topic">, props: MetricAlarmProps): void {
  const { region, provider, topicArn, tags } = props;
  setAddress(
    scope,
    new CloudwatchMetricAlarm(scope, `alarm-${plan.word}`, {
      ...(provider ? { provider } : {}),
      region,
      alarmName: `${tags.registry}-${tags.environment}-secrets-${plan.word}`,
      alarmDescription: plan.description,
      namespace: plan.namespace,
      metricName: plan.metric,
      dimensions: { ...plan.dimensions },
      statistic: plan.statistic,
      period: plan.periodSeconds,
      evaluationPeriods: 1,
      threshold: plan.threshold ?? 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      treatMissingData: plan.whenMissing,
      alarmActions: [topicArn],
      okActions: [topicArn],
      tags: { ...tags },
    }),
    plan.word,
  );
}
