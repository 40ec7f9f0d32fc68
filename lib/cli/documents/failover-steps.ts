import type { Blueprint } from "../../blueprint";
import { auditBucket, recordsBucket } from "../../model/names";

/** Steps of people and Terraform around a failover, as sentences in their order. */

const stackOf = (environment: string): string => `cdktf.out/stacks/${environment}`;

/** Steps after replicas were promoted, for whoever holds the registry and Terraform's state. */
export function stepsAfterFailover(
  plan: Blueprint,
  {
    from,
    to,
    replicas,
  }: { readonly from: string; readonly to: string; readonly replicas: readonly string[] },
): readonly string[] {
  const { environment } = plan;
  const clusters = plan.clusters.filter(({ region }) => region === from).map(({ name }) => name);
  const vaults = plan.vaults.filter(({ regions }) => regions.includes(from)).map(({ name }) => name);
  const functions = plan.functions.filter(({ network }) => network !== undefined);
  const stack = stackOf(environment);
  const lost = `.mode == "managed" and (.values.region == "${from}" or .type == "aws_kms_replica_key")`;
  const hosts = plan.secrets.filter((secret) => JSON.stringify(secret.settings).includes(from));
  return [
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
  ];
}

/** Steps before and after a region becomes a replica again. */
export function stepsAroundReturn(
  plan: Blueprint,
  { primary, region }: { readonly primary: string; readonly region: string },
): readonly string[] {
  const { environment } = plan;
  const stack = stackOf(environment);
  const stays = plan.regions.replicas.includes(region);
  return [
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
  ];
}
