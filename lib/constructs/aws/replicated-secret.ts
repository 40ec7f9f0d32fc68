import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { SecretsmanagerSecret } from "@cdktf/provider-aws/lib/secretsmanager-secret";
import { SecretsmanagerSecretPolicy } from "@cdktf/provider-aws/lib/secretsmanager-secret-policy";
import { SecretsmanagerSecretRotation } from "@cdktf/provider-aws/lib/secretsmanager-secret-rotation";
import type { ITerraformDependable, TerraformResource } from "cdktf";
import { Construct } from "constructs";
import type { AwsSecretPlan, InboxPlan } from "../../blueprint";
import { addressOf, setAddress } from "../address";
import { literalJson, literalText } from "../literal-text";
import { MovedAddress } from "../moved-address";

/** Input of {@link ReplicatedSecret}. */
export interface ReplicatedSecretProps {
  /** The secret as the blueprint has it. */
  readonly plan: AwsSecretPlan;
  readonly regions: { readonly primary: string; readonly replicas: readonly string[] };
  /** Gives the ARN of the encrypting key in a region. */
  readonly keyArnIn: (region: string) => string;
  /** The function that rotates it on the plan's schedule. @default it does not rotate by itself */
  readonly rotation?: { readonly functionArn: string; readonly permission: ITerraformDependable };
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * One secret of Secrets Manager with a replica in every region, each under that region's key, and a policy that
 * denies its value to all but its readers. It has no value: rotation and bootstrap write values, and a value
 * that Terraform tracked would be in its state, and would be put back over a rotated one.
 *
 * @example
 * const [plan] = blueprint(registry, "prod").secrets.filter((secret) => secret.store === "aws");
 * new ReplicatedSecret(stack, "db", { plan, regions, keyArnIn: (region) => key.arnIn(region) });
 */
export class ReplicatedSecret extends Construct {
  /** Name in Secrets Manager, the same in every region. */
  readonly secretName: string;

  constructor(
    scope: Construct,
    id: string,
    { plan, regions, keyArnIn, rotation, provider }: ReplicatedSecretProps,
  ) {
    super(scope, id);
    this.secretName = plan.name;
    const common = { ...(provider ? { provider } : {}), region: regions.primary };
    const secret = setAddress(
      this,
      new SecretsmanagerSecret(this, "secret", {
        ...common,
        name: plan.name,
        description: literalText(plan.description),
        kmsKeyId: keyArnIn(regions.primary),
        replica: regions.replicas.map((region) => ({ region, kmsKeyId: keyArnIn(region) })),
        // A secret of that name in a replica region is somebody else's; it is not ours to overwrite.
        forceOverwriteReplicaSecret: false,
        recoveryWindowInDays: plan.recoveryWindowDays,
        tags: { ...plan.tags },
        lifecycle: { preventDestroy: plan.preventDestroy },
      }),
      plan.word,
    );
    const policy = setAddress(
      this,
      new SecretsmanagerSecretPolicy(this, "policy", {
        ...common,
        secretArn: secret.arn,
        policy: literalJson(plan.policy),
        blockPublicPolicy: true,
      }),
      plan.word,
    );
    const schedule =
      rotation && plan.schedule
        ? [
            setAddress(
              this,
              new SecretsmanagerSecretRotation(this, "rotation", {
                ...common,
                secretId: secret.id,
                rotationLambdaArn: rotation.functionArn,
                // The first rotation is bootstrap's, in the order in which secrets need each other.
                rotateImmediately: false,
                rotationRules:
                  plan.schedule.how === "cadence"
                    ? { automaticallyAfterDays: plan.schedule.automaticallyAfterDays }
                    : {
                        scheduleExpression: plan.schedule.expression,
                        duration: `${plan.schedule.windowHours}h`,
                      },
                // Secrets Manager tries the function at once, which by then must be allowed to read the secret.
                dependsOn: [rotation.permission, policy],
              }),
              plan.word,
            ),
          ]
        : [];
    if (plan.inbox) this.#inbox(plan.inbox, keyArnIn(regions.primary), common);
    this.#move("moved", plan, [secret, policy, ...schedule]);
  }

  /** Follows a renaming: what has the name of a secret in Terraform moves, and keeps its name in the cloud. */
  #move(
    id: string,
    { word, movedFrom }: Pick<AwsSecretPlan, "word" | "movedFrom">,
    renamed: readonly TerraformResource[],
  ): void {
    if (movedFrom.length === 0) return;
    for (const { terraformResourceType } of renamed) {
      new MovedAddress(this, `${id}-${terraformResourceType}`, {
        from: movedFrom.map((former) => addressOf(this, terraformResourceType, former)),
        to: addressOf(this, terraformResourceType, word),
      });
    }
  }

  /** Makes the inbox, which holds nothing that lasts: it has no replica, and is deleted at once when it is deleted. */
  #inbox(inbox: InboxPlan, keyArn: string, common: object): void {
    const secret = setAddress(
      this,
      new SecretsmanagerSecret(this, "inbox", {
        ...common,
        name: inbox.name,
        description: literalText(inbox.description),
        kmsKeyId: keyArn,
        recoveryWindowInDays: 0,
        tags: { ...inbox.tags },
      }),
      inbox.word,
    );
    const policy = setAddress(
      this,
      new SecretsmanagerSecretPolicy(this, "inbox-policy", {
        ...common,
        secretArn: secret.arn,
        policy: literalJson(inbox.policy),
        blockPublicPolicy: true,
      }),
      inbox.word,
    );
    this.#move("moved-inbox", inbox, [secret, policy]);
  }
}
