import { type CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { WatcherSettings } from "../../contracts/function-settings";
import { CADENCE_METRIC, CADENCE_STATES, METRIC_NAMESPACE } from "../../model/names";
import type { WatcherSinks } from "../procedure/watcher";
import { awsFailure } from "./aws-failure";

/** {@link WatcherSinks} in CloudWatch and SNS. */
export const awsWatcherSinks = (
  cloudWatch: CloudWatchClient,
  sns: SNSClient,
  { registry, environment, remindersTopicArn }: WatcherSettings,
): WatcherSinks => ({
  async count(counts) {
    try {
      await cloudWatch.send(
        new PutMetricDataCommand({
          Namespace: METRIC_NAMESPACE,
          MetricData: CADENCE_STATES.map((state) => ({
            MetricName: CADENCE_METRIC,
            Dimensions: [
              { Name: "registry", Value: registry },
              { Name: "environment", Value: environment },
              { Name: "state", Value: state },
            ],
            Unit: "Count",
            Value: counts[state],
          })),
        }),
      );
    } catch (failure) {
      throw awsFailure(failure, "cloudwatch:PutMetricData");
    }
  },
  async remind(subject, message) {
    try {
      await sns.send(new PublishCommand({ TopicArn: remindersTopicArn, Subject: subject, Message: message }));
    } catch (failure) {
      throw awsFailure(failure, `sns:Publish to ${remindersTopicArn}`);
    }
  },
});
