import type { Blueprint } from "../../blueprint";
import { auditBucket, recordsBucket } from "../../model/names";
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

const stackOf = (environment: string): string => `cdktf.out/stacks/${environment}`;

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
  { environment, from, to }: Loss,
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
  const clusters = plan.clusters.filter(({ region }) => region === from).map(({ name }) => name);
  const vaults = plan.vaults.filter(({ regions }) => regions.includes(from)).map(({ name }) => name);
  const functions = plan.functions.filter(({ network }) => network !== undefined);
  const stack = stackOf(environment);
  const lost = `.mode == "managed" and (.values.region == "${from}" or .type == "aws_kms_replica_key")`;
  const hosts = plan.secrets.filter((secret) => JSON.stringify(secret.settings).includes(from));
  return {
    regions: { primary: to, replicas },
    terraform: { import: imports },
    next: [
      `Registry: environments.${environment}.regions: ${JSON.stringify({ primary: to, replicas })}.`,
      ...(clusters.length > 0
        ? [`Registry: leave out the clusters in ${from} until it is back: ${clusters.join(", ")}.`]
        : []),
      ...(vaults.length > 0
        ? [
            `Registry: take ${from} out of the regions of Vault ${vaults.join(", ")}, and leave out a Vault that runs there. The others serve what they have.`,
          ]
        : []),
      ...(functions.length > 0
        ? [
            `Registry: environments.${environment}.networks: subnets and security groups of ${to}, with a way to the targets.`,
          ]
        : []),
      ...(hosts.length > 0
        ? [`Registry: settings that name ${from}: ${hosts.map(({ key }) => key).join(", ")}.`]
        : []),
      `Then: npm run synth. Terraform's state must be reachable: a bucket in ${from} is lost, too.`,
      `State: forget what lies in ${from}, and the keys' replicas, which belong to its key: terraform -chdir=${stack} show -json | jq -r '.values.root_module.resources[] | select(${lost}) | .address' | xargs -r terraform -chdir=${stack} state rm. This deletes nothing in AWS.`,
      `Import: save the import blocks as ${stack}/failover.tf.json (--imports writes it), then terraform -chdir=${stack} plan. It must destroy nothing: secrets are imported and changed in place; new keys, functions, tables, queue, rules and schedules are created in ${to}. Apply it, then remove the file. The roles' new policies also keep functions of ${from} from rotating, should it come back.`,
      ...(plan.procedure
        ? [
            `Records: bucket ${plan.procedure.records.name} stays in ${from} with what it holds; from now on they lie in ${recordsBucket(plan.registry, environment, plan.account, to)}. When ${from} answers again, archive what is in no log yet: aws s3 sync s3://${plan.procedure.records.name} records, then secrets-registry log archive --from records --since <day>.`,
          ]
        : []),
      ...(plan.procedure
        ? [
            `Fingerprints: key ${plan.procedure.auditKey.alias} is made anew in ${to}, and an HMAC key cannot be copied, so the same value has another fingerprint from now on. Each names its key. Keep the one of ${from} as long as its records count.`,
          ]
        : []),
      ...(plan.audit
        ? [
            `Audit trail: bucket ${plan.audit.archive.name} stays in ${from} with its events, under its lock, and what waited in the queues there waits until ${from} answers; events of now on lie in ${auditBucket(plan.registry, environment, plan.account, to, "archive")}. Sinks whose credential or stream lies in ${from}: name one in ${to} under environments.${environment}.audit.sinks.`,
          ]
        : []),
      ...replicas.map(
        (region) =>
          `${region} still has replicas of ${from}: they can be read, and stay as they are. Have them follow ${to}: secrets-registry failover --env ${environment} --rejoin ${region}.`,
      ),
      `${plan.vaults.length > 0 ? `The mirror of ${to} brings every value to the Vaults that are left, and their confirmations begin` : "Confirmations begin"} anew, so each overlap does, too. End no old credential before every region follows ${to}.`,
      `When ${from} answers again: put it back into regions.replicas, apply, then: secrets-registry failover --env ${environment} --rejoin ${from} --dry-run.`,
    ],
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
  { environment, primary, region }: Return,
  addresses: string,
): Omit<FailoverSteps, "regions"> & { readonly leftovers: Leftovers } {
  const stack = stackOf(environment);
  const stays = plan.regions.replicas.includes(region);
  return {
    terraform: {
      import: [{ to: `aws_kms_alias.${addresses}_${region}`, id: inRegion(plan.key.alias, region) }],
    },
    leftovers: leftovers(plan),
    next: [
      ...(stays
        ? []
        : [
            `Registry: put ${region} into environments.${environment}.regions.replicas, and its clusters and Vaults back; then npm run synth.`,
          ]),
      `Before: terraform -chdir=${stack} apply, so that the key has a replica in ${region}. Where ${region} was the primary region, its alias is there already: save the import block as ${stack}/failover.tf.json for that apply. Terraform asks for the replicas without overwriting, so they stay Failed until this command has run.`,
      `Afterwards: terraform -chdir=${stack} plan shows no change of replicas.`,
      `Where ${region} was the primary region, functions, inboxes, table, queues, topic, rules, alarms and log groups are left there, in no state. Delete them (names under leftovers); the table has deletion protection.`,
      `Keep the former key and its replicas until no version is encrypted by it: a key that waits for its deletion decrypts nothing.`,
      `${primary} stays the primary region. To move home, when all are in sync: secrets-registry failover --env ${environment} --to ${region} --planned.`,
    ],
  };
}
