import type { Blueprint } from "../../blueprint";
import { stepsAfterFailover, stepsAroundReturn } from "../documents/failover-steps";
import type { Loss, Return } from "./failover-row";

/** An `import` block in Terraform's JSON syntax. https://developer.hashicorp.com/terraform/language/block/import */
export interface TerraformImport {
  readonly to: string;
  readonly id: string;
}

/** Steps of people and Terraform around a failover. */
export interface FailoverSteps {
  /** `environments.<name>.regions`, as it is to be. */
  readonly regions: { readonly primary: string; readonly replicas: readonly string[] };
  /** Terraform to be written beside the stack for one apply, as a `.tf.json` file. */
  readonly terraform: { readonly import: readonly TerraformImport[] };
  /** Next steps, in order. */
  readonly next: readonly string[];
}

/** A secret, as far as Terraform must know it. */
interface Standing {
  readonly secret: string;
  readonly arn?: string;
  /** Result of its promotion. A secret that is `blocked` or `failed` is still a replica, with nothing to import. */
  readonly does: string;
}

/** Id of an import in another region than the provider's: AWS provider ≥ 6. */
const inRegion = (id: string, region: string): string => `${id}@${region}`;

/**
 * Steps after replicas were promoted. A secret's address in Terraform stays and its region changes, which the provider
 * answers by a replacement, and `prevent_destroy` by a refusal: so the state forgets what lies in the lost region, and
 * takes in what was promoted.
 * https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support
 *
 * @param addresses ids of the user's constructs in Terraform addresses, such as `secrets`
 */
export function failoverSteps(
  plan: Blueprint,
  { from, to }: Loss,
  secrets: readonly Standing[],
  addresses: string,
): FailoverSteps {
  const replicas = plan.regions.all.filter((region) => region !== from && region !== to);
  const word = new Map(plan.secrets.map((secret) => [secret.key, secret.word]));
  const imports = secrets.flatMap(({ secret, arn, does }) =>
    arn === undefined || does === "blocked" || does === "failed"
      ? []
      : [{ to: `aws_secretsmanager_secret.${addresses}_${word.get(secret)}`, id: inRegion(arn, to) }],
  );
  return {
    regions: { primary: to, replicas },
    terraform: { import: imports },
    next: stepsAfterFailover(plan, { from, to, replicas }),
  };
}

/** Resources that Terraform left in a region that was the primary one, by name; none of it is in the state any more. */
export interface Leftovers {
  readonly functions: readonly string[];
  readonly inboxes: readonly string[];
  readonly logGroups: readonly string[];
  readonly rules: readonly string[];
  readonly tables: readonly string[];
  readonly queue?: string;
  /** Queues of the audit trail. */
  readonly auditQueues?: readonly string[];
  readonly topic?: string;
  readonly alarmPrefix?: string;
  readonly keyAliases: readonly string[];
}

/** Resources in a region that was the primary one. Names are made of the registry, so they are the same in every region. */
function leftovers({
  functions: registryFunctions,
  operations,
  procedure,
  audit,
  key,
  secrets,
}: Blueprint): Leftovers {
  const sinks = audit?.sinks ?? [];
  const functions = [
    ...registryFunctions,
    ...(audit ? [audit.normaliser] : []),
    ...sinks.map((sink) => sink.function),
  ];
  return {
    functions: functions.map(({ name }) => name),
    inboxes: secrets.flatMap((secret) => (secret.store === "aws" && secret.inbox ? [secret.inbox.name] : [])),
    logGroups: functions.map(({ logGroup }) => logGroup),
    rules: [...(operations?.rules ?? []), ...(audit?.rules ?? [])].map(({ name }) => name),
    ...(audit
      ? {
          auditQueues: [audit.events, audit.deadLetters, ...sinks.map(({ queue }) => queue)].map(
            ({ name }) => name,
          ),
        }
      : {}),
    ...(operations
      ? {
          queue: operations.deadLetters.name,
          topic: operations.alarms.name,
          alarmPrefix: `${operations.tags.registry}-${operations.tags.environment}-secrets-`,
        }
      : {}),
    tables: [
      ...(operations ? [operations.publicationsTable] : []),
      ...(procedure ? [procedure.changesTable, procedure.runsTable] : []),
    ],
    keyAliases: [
      key.alias,
      ...(operations ? [operations.key.alias] : []),
      ...(procedure ? [procedure.auditKey.alias] : []),
    ],
  };
}

/** Steps before and after a region becomes a replica again. */
export function rejoinSteps(
  plan: Blueprint,
  { primary, region }: Return,
  addresses: string,
): Omit<FailoverSteps, "regions"> & { readonly leftovers: Leftovers } {
  return {
    terraform: {
      import: [{ to: `aws_kms_alias.${addresses}_${region}`, id: inRegion(plan.key.alias, region) }],
    },
    leftovers: leftovers(plan),
    next: stepsAroundReturn(plan, { primary, region }),
  };
}
