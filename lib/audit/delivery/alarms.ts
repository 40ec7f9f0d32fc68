import type { AuditCount } from "../../contracts/audit-settings";
import type { AuditScope } from "../audit-scope";
import { type OcsfEvent, resourceOf } from "../ocsf";

/** Calls that give out a value, or would have. */
const VALUE_READS: ReadonlySet<string> = new Set(["GetSecretValue", "BatchGetSecretValue"]);

/** Counts that an event raises, for alarms. */
export function countsOf(event: OcsfEvent, scope: AuditScope): readonly AuditCount[] {
  if (event.class_uid !== 6003) return [];
  const refused = event.status_id === 2;
  const isRead = readsValue(event);
  if (!isRead) return refused ? ["refusals"] : [];
  if (refused) return ["refusals"];
  const who = knownReader(event, scope);
  return [
    "reads",
    ...(who === "break-glass" ? (["break-glass-reads"] as const) : []),
    ...(who === undefined ? (["foreign-reads"] as const) : []),
  ];
}

function readsValue(event: OcsfEvent): boolean {
  if (event.activity_name !== "Read") return false;
  if (event.cloud.provider === "AWS") return VALUE_READS.has(event.api.operation);
  const resource = resourceOf(event);
  // Metadata gives out no value.
  return resource?.type === "Secret" && !resource.uid.includes("/metadata/");
}

/** Kind of the principal that the registry knows; `undefined`: it knows none. A pod's login to Vault is known by its policy. */
function knownReader({ actor, cloud }: OcsfEvent, scope: AuditScope): string | undefined {
  if (cloud.provider === "Vault") {
    const ours = actor.user?.groups?.some(({ name }) =>
      name.startsWith(`policy:${scope.vault.policyPrefix}`),
    );
    return ours ? "workload" : undefined;
  }
  const arn = actor.session?.issuer ?? actor.user?.uid;
  return arn === undefined ? undefined : scope.principals[arn]?.is;
}
