import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { KmsAlias } from "@cdktf/provider-aws/lib/kms-alias";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { Construct } from "constructs";
import type { ProcedurePlan, TopicPlan } from "../../blueprint";
import { hideIdsBelow, setAddress } from "../address";
import { literalJson, literalText } from "../literal-text";
import { policyText, writesPolicies } from "../policy-files";
import { ExclusiveRole } from "./exclusive-role";
import { lockedBucket } from "./locked-bucket";
import { metricAlarm } from "./metric-alarm";

const KEY_DELETION_DAYS = 30;

/** Input of {@link RotationProcedure}. */
export interface RotationProcedureProps {
  /** Plan of the blueprint: `blueprint(registry, "prod").procedure`. */
  readonly plan: ProcedurePlan;
  /** The environment's primary region. */
  readonly region: string;
  /** ARN of the key of topics: {@link Operations.keyArn}. */
  readonly keyArn: string;
  /** ARN of the topic of alarms: {@link Operations.alarmTopicArn}. */
  readonly alarmTopicArn: string;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * The procedure that follows a rotation: the tables of runs and of change requests, the state machine that proves one and retires the old credential, the
 * bucket of records that nobody can change, the key of their fingerprints, the topics on which people are asked and reminded. Its functions are among
 * those of {@link Operations}. The policies that people's roles need are written beside the stack, as
 * `policies/operator.json`, `approver.json`, `ci.json` and `failover.json`, and what their trust has to say of a session's name
 * as `operator-trust.json` and `approver-trust.json`, and by which jobs take CI's role as `ci-trust.json`: those roles belong to others.
 *
 * Records are encrypted with S3's own key (SSE-S3): they hold no secret, and a record that is kept for years must not
 * die with a key that can be deleted in a month.
 *
 * The machine writes no log of its own: its role would need rights on every log of the account
 * (`logs:PutResourcePolicy` and others know no resource). Step Functions keeps each execution's history for 90 days,
 * the record stays.
 */
export class RotationProcedure extends Construct {
  /** ARN (a token) of the state machine. */
  readonly stateMachineArn: string;
  /** ARN (a token) of the topic of requests for approval. */
  readonly approvalTopicArn: string;
  /** ARN (a token) of the topic of reminders. */
  readonly reminderTopicArn: string;

  constructor(
    scope: Construct,
    id: string,
    { plan, region, keyArn, alarmTopicArn, provider }: RotationProcedureProps,
  ) {
    super(scope, id);
    hideIdsBelow(this);
    const own = provider ? { provider } : {};
    const common: Common = { ...own, region };
    const tags = { ...plan.tags };
    setAddress(
      this,
      new DynamodbTable(this, "runs", {
        ...common,
        name: plan.runsTable,
        billingMode: "PAY_PER_REQUEST",
        hashKey: "secret",
        rangeKey: "run",
        attribute: [
          { name: "secret", type: "S" },
          { name: "run", type: "S" },
        ],
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: plan.preventDestroy,
        tags,
      }),
      "runs",
    );
    setAddress(
      this,
      new DynamodbTable(this, "changes", {
        ...common,
        name: plan.changesTable,
        billingMode: "PAY_PER_REQUEST",
        hashKey: "change",
        attribute: [{ name: "change", type: "S" }],
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: plan.preventDestroy,
        tags,
      }),
      "changes",
    );
    lockedBucket(this, "records", plan.records, { ...common, preventDestroy: plan.preventDestroy, tags });
    this.#auditKey(common, plan);
    this.approvalTopicArn = this.#topic(common, "approvals", plan.approvals, keyArn, tags);
    this.reminderTopicArn = this.#topic(common, "reminders", plan.reminders, keyArn, tags);

    const role = new ExclusiveRole(this, "role", {
      ...own,
      plan: plan.stateMachine.role,
      // A double hyphen keeps it apart from any workload's.
      word: "machine--procedure",
      description: "Proves rotations and retires old credentials",
      rights: `what ${plan.stateMachine.name} does`,
    });
    this.stateMachineArn = setAddress(
      this,
      new SfnStateMachine(this, "state-machine", {
        ...common,
        name: plan.stateMachine.name,
        type: "STANDARD",
        roleArn: role.arn,
        definition: literalJson(plan.stateMachine.definition),
        // It is gone when its last execution is; those of open runs wait for hours, and have to be stopped first.
        timeouts: { delete: "30m" },
        tags,
        dependsOn: [...role.policies],
      }),
      "procedure",
    ).arn;
    for (const alarm of plan.alarms) {
      const topicArn = alarm.topic === "alarms" ? alarmTopicArn : this.reminderTopicArn;
      metricAlarm(this, alarm, { ...common, topicArn, tags });
    }
    writesPolicies(
      this,
      Object.fromEntries([
        ...Object.entries(plan.people).map(([person, policy]) => [`${person}.json`, policyText(policy)]),
        ...Object.entries(plan.trusts).map(([person, trust]) => [`${person}-trust.json`, policyText(trust)]),
      ]),
    );
  }

  #auditKey(common: Common, { auditKey, preventDestroy, tags }: ProcedurePlan): void {
    const key = setAddress(
      this,
      new KmsKey(this, "audit-key", {
        ...common,
        description: literalText(auditKey.description),
        keyUsage: "GENERATE_VERIFY_MAC",
        customerMasterKeySpec: "HMAC_256",
        // KMS rotates no HMAC key.
        enableKeyRotation: false,
        deletionWindowInDays: KEY_DELETION_DAYS,
        policy: literalJson(auditKey.policy),
        tags: { ...tags },
        lifecycle: { preventDestroy },
      }),
      "audit",
    );
    setAddress(
      this,
      new KmsAlias(this, "audit-alias", { ...common, name: auditKey.alias, targetKeyId: key.keyId }),
      "audit",
    );
  }

  #topic(
    common: Common,
    word: string,
    plan: TopicPlan,
    keyArn: string,
    tags: Readonly<Record<string, string>>,
  ): string {
    const { arn } = setAddress(
      this,
      new SnsTopic(this, word, { ...common, name: plan.name, kmsMasterKeyId: keyArn, tags: { ...tags } }),
      word,
    );
    setAddress(
      this,
      new SnsTopicPolicy(this, `${word}-policy`, { ...common, arn, policy: literalJson(plan.policy) }),
      word,
    );
    return arn;
  }
}

interface Common {
  readonly region: string;
  readonly provider?: AwsProvider;
}
