import { randomBytes } from "node:crypto";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { AuditPlan, Blueprint, FunctionPlan } from "../../../../lib/blueprint";
import { functionZip } from "../../../../lib/bundles";
import type { AuditNormaliserSettings, AuditSinkSettings } from "../../../../lib/contracts/audit-settings";
import type { AuditSink } from "../../../../lib/model/audit-definition";
import { type AwsAccess, kms, loadAudit } from "../load";
import { clientSettings } from "../load/aws-account";
import type { ZipOf } from "../load/operations";
import type { ServerGroup } from "../servers";
import { type SiemReceiver, startSiemReceiver } from "./siem-receiver";

/** An audit trail on the embedded AWS, with a receiver in the place of each SIEM. */
export interface RehearsedTrail {
  /** The blueprint's, with the ARNs that credentials have here. */
  readonly plan: AuditPlan;
  readonly receiver: SiemReceiver;
  /** Sinks that nothing here stands for. */
  readonly leftOut: readonly string[];
  /** URLs of its queues by name. */
  readonly queues: ReadonlyMap<string, string>;
}

/** Field of the secret in which a credential lies, and its ARN in the registry. */
interface Credential {
  readonly secretArn: string;
  readonly field?: string | undefined;
}

/**
 * Loads the audit trail of a blueprint, with credentials and a receiver in the place of its SIEMs. A sink of Firehose is left out: the
 * embedded AWS delivers from there to S3 alone.
 */
export async function startRehearsedTrail(
  access: AwsAccess,
  blueprint: Blueprint,
  whole: AuditPlan,
  group: ServerGroup,
): Promise<RehearsedTrail> {
  const isRehearsed = ({ function: { settings } }: AuditPlan["sinks"][number]): boolean =>
    (settings as AuditSinkSettings).sink.type !== "firehose";
  const sinks = whole.sinks.filter(isRehearsed);
  const credential = randomBytes(18).toString("base64url");
  const place = group.placeFor("siem");
  const receiver = await startSiemReceiver(credential);
  group.adopt(place, () => receiver.close());
  let text = JSON.stringify({ ...whole, sinks });
  for (const found of credentialsOf(sinks)) {
    const arn = await makeCredential(access, found, credential);
    text = text.replaceAll(found.secretArn, arn);
  }
  const plan = JSON.parse(text) as AuditPlan;
  const zips = rehearsedZips(access, blueprint, receiver);
  const { queues } = await loadAudit(access, blueprint, plan, zips);
  return {
    plan,
    receiver,
    leftOut: whole.sinks.filter((sink) => !isRehearsed(sink)).map(({ name }) => name),
    queues,
  };
}

/** Packages of the audit trail's functions, with the rehearsal's queues, and with the receiver where a SIEM is. */
export function rehearsedZips(
  { endpoint }: Pick<AwsAccess, "endpoint">,
  { account }: Pick<Blueprint, "account">,
  receiver?: Pick<SiemReceiver, "url" | "caPem">,
): ZipOf {
  const here = (url: string): string => `${endpoint}/${account}/${url.split("/").at(-1)}`;
  return ({ bundle, settings }: FunctionPlan) => {
    const own = settings as AuditNormaliserSettings | AuditSinkSettings;
    return functionZip(bundle, {
      ...own,
      deadLetters: here(own.deadLetters),
      ...("sinkQueues" in own ? { sinkQueues: own.sinkQueues.map(here) } : {}),
      ...("sink" in own && receiver && own.sink.type !== "firehose"
        ? { sink: { ...own.sink, url: receiver.url, caPem: receiver.caPem } satisfies AuditSink }
        : {}),
    }).bytes;
  };
}

function credentialsOf(sinks: AuditPlan["sinks"]): readonly Credential[] {
  const all = sinks.flatMap(({ function: { settings } }): readonly Credential[] => {
    const { sink } = settings as AuditSinkSettings;
    if (sink.type === "firehose") return [];
    return [
      sink.type === "splunk-hec" ? sink.token : sink.type === "datadog" ? sink.apiKey : sink.credential,
    ];
  });
  return [...new Map(all.map((found) => [found.secretArn, found])).values()];
}

/** Makes the secret of a credential. @returns its ARN: Secrets Manager chooses how it ends */
async function makeCredential(
  access: AwsAccess,
  { secretArn, field }: Credential,
  value: string,
): Promise<string> {
  const [, , , region = "", , , whole = ""] = secretArn.split(":");
  const { KeyMetadata: key } = await kms(access, region).send(new CreateKeyCommand({}));
  const { ARN: made } = await new SecretsManagerClient(clientSettings(access, region)).send(
    new CreateSecretCommand({
      Name: whole.slice(0, -"-??????".length),
      ...(key?.Arn === undefined ? {} : { KmsKeyId: key.Arn }),
      SecretString: field === undefined ? value : JSON.stringify({ [field]: value }),
    }),
  );
  if (made === undefined) throw new Error("the secret of a credential was not made");
  return made;
}
