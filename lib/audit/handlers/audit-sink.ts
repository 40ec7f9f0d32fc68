import { FirehoseClient } from "@aws-sdk/client-firehose";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { AuditSinkSettings } from "../../contracts/audit-settings";
import { jsonLog } from "../../lambda/json-log";
import { lambdaEntry } from "../../lambda/lambda-entry";
import { readSettings } from "../../lambda/settings-file";
import type { AuditSink, SinkCredential } from "../../model/audit-definition";
import { firehoseSink, sinkCredential, sqsOutlet } from "../adapters/aws-ports";
import { httpsPost } from "../adapters/https-post";
import { Deliverer, httpSink, type SinkPort } from "../delivery/deliverer";
import { messagesOf } from "../delivery/queued-messages";
import type { HttpSink } from "../delivery/requests";

/** Lambda's entry point of a function that delivers to one sink. */
export const handler = lambdaEntry(async () => {
  const settings = (await readSettings()) as AuditSinkSettings;
  const { registry, environment, region, sink } = settings;
  const deliverer = new Deliverer({
    settings,
    sink: portOf(sink, region),
    outlet: sqsOutlet(new SQSClient({ region })),
    log: jsonLog(`secrets-registry-audit-sink-${sink.name}`, { registry, environment }),
  });
  return (event) => deliverer.run(messagesOf(event));
});

function portOf(sink: AuditSink, region: string): SinkPort {
  if (sink.type === "firehose")
    return firehoseSink(
      new FirehoseClient({ region: sink.streamArn.split(":")[3] ?? region }),
      sink.streamArn,
    );
  const credential = credentialOf(sink);
  return httpSink(sink, {
    send: httpsPost(),
    // The secret's own region.
    secret: sinkCredential(
      new SecretsManagerClient({ region: credential.secretArn.split(":")[3] ?? region }),
      credential,
    ),
    now: () => new Date(),
  });
}

function credentialOf(sink: HttpSink): SinkCredential {
  switch (sink.type) {
    case "splunk-hec":
      return sink.token;
    case "datadog":
      return sink.apiKey;
    case "https":
      return sink.credential;
  }
}
