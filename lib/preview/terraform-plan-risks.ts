import type { PairedSecrets } from "./pair-secrets";
import type { ResourceCounts, Risk } from "./preview";
import type { EnvironmentState } from "./registry-state";
import { risk } from "./secret-risks";
import type { PlannedChange } from "./terraform-plan";
import { word } from "./word";

/** Resources whose end loses data that nothing in the registry brings back. */
const HOLD_DATA: readonly string[] = [
  "aws_secretsmanager_secret",
  "aws_kms_key",
  "aws_kms_replica_key",
  "aws_dynamodb_table",
  "aws_s3_bucket",
  "vault_mount",
  "vault_auth_backend",
  "vault_jwt_auth_backend",
  "vault_database_secret_backend_connection",
];

/** Numbers of resources: of the plan where there is one, else of the two outputs. */
export function resourceCounts(
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
  plan: readonly PlannedChange[] | undefined,
): ResourceCounts | undefined {
  const changes = plan ?? outputChanges(base, head);
  if (changes === undefined) return undefined;
  const count = (action: PlannedChange["action"]): number =>
    changes.filter((change) => change.action === action).length;
  return {
    from: plan ? "plan" : "output",
    added: count("create"),
    changed: count("update") + count("other"),
    replaced: count("replace"),
    destroyed: count("delete"),
    codeOnly: changes.filter(({ codeOnly }) => codeOnly).length,
  };
}

/** Resources of which a plan, or the head's output, makes an end, and that hold data. */
export function terraformPlanRisks(
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
  plan: readonly PlannedChange[] | undefined,
  { destroyed, replaced }: PairedSecrets,
): readonly Risk[] {
  // They are reported already, in the registry's words.
  const told = new Set(
    [...destroyed, ...replaced.map(([before]) => before)].map(({ key }) => key.replaceAll("/", "--")),
  );
  return (plan ?? outputChanges(base, head) ?? [])
    .filter(({ type, action }) => HOLD_DATA.includes(type) && (action === "delete" || action === "replace"))
    .filter(
      ({ type, address }) =>
        type !== "aws_secretsmanager_secret" || ![...told].some((name) => address.endsWith(`_${name}`)),
    )
    .map(({ address, action }) =>
      risk(
        "resource-destroyed",
        `Terraform ${action === "delete" ? "destroys" : "destroys and makes anew"} ${word(address)}.`,
      ),
    );
}

/** Changes from one synthesized output to another. What Terraform would replace, an output does not say. */
function outputChanges(
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
): readonly PlannedChange[] | undefined {
  if (base?.resources === undefined && head?.resources === undefined) return undefined;
  const [before, after] = [base?.resources ?? new Map(), head?.resources ?? new Map()];
  const addresses = [...new Set([...before.keys(), ...after.keys()])].sort();
  return addresses.flatMap((address): PlannedChange[] => {
    const [was, is] = [before.get(address), after.get(address)];
    if (is === undefined) {
      return was ? [{ address, type: was.type, action: "delete", codeOnly: false }] : [];
    }
    if (was === undefined) return [{ address, type: is.type, action: "create", codeOnly: false }];
    if (was.digest === is.digest) return [];
    return [{ address, type: is.type, action: "update", codeOnly: was.withoutCode === is.withoutCode }];
  });
}
