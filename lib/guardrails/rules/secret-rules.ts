import { isRecord } from "../../model/is-record";
import type { GuardrailFinding } from "../guardrail";
import { blocksIn, type TerraformView, type ViewedElement } from "../view/terraform-view";
import { breach } from "./breach";

/** Key of Secrets Manager's own, which everybody in the account can use. */
const OWN_KEY = /(?:^|:)alias\/aws\/secretsmanager$/;

/** Tag by which a secret names why it does not rotate by Secrets Manager. */
const EXEMPTION = "rotation-exemption";

/** SR010, SR011, SR012: a secret has a customer key, replicas, and rotation or a named exemption. */
export function secretBreaches(view: TerraformView): readonly GuardrailFinding[] {
  const rotations = view.of("aws_secretsmanager_secret_rotation");
  return view.of("aws_secretsmanager_secret").flatMap((secret) => {
    const { kms_key_id: key, replica, name } = secret.arguments;
    const rotates = rotations.some(
      ({ arguments: { secret_id } }) =>
        view.referred(secret_id) === secret || (name !== undefined && secret_id === name),
    );
    const replicas = blocksIn(replica);
    return [
      ...(typeof key !== "string" || OWN_KEY.test(key)
        ? [
            breach(
              "SR010",
              secret,
              "kms_key_id",
              key === undefined
                ? "it lies under the key of Secrets Manager"
                : "its key is the one of Secrets Manager",
              "Name a customer managed key whose policy says who may decrypt",
            ),
          ]
        : []),
      ...replicas.flatMap(({ region, kms_key_id }, index) =>
        typeof kms_key_id !== "string" || OWN_KEY.test(kms_key_id)
          ? [
              breach(
                "SR010",
                secret,
                `replica[${index}].kms_key_id`,
                `its replica in ${String(region)} lies under the key of Secrets Manager`,
                "Name a customer managed key of that region",
              ),
            ]
          : [],
      ),
      ...(replicas.length === 0
        ? [
            breach(
              "SR011",
              secret,
              "replica",
              "it is in one region",
              "Add a replica in another region, with a key of that region",
            ),
          ]
        : []),
      ...(rotates || isExempt(secret)
        ? []
        : [
            breach(
              "SR012",
              secret,
              "",
              "nothing rotates it",
              `Add an aws_secretsmanager_secret_rotation, or name the reason in its tag ${EXEMPTION}`,
            ),
          ]),
    ];
  });
}

/** Its tags name a reason, or a cadence that the registry's own procedure keeps. */
function isExempt({ arguments: { tags } }: ViewedElement): boolean {
  if (!isRecord(tags)) return false;
  const reason = tags[EXEMPTION];
  if (typeof reason === "string" && reason.trim() !== "") return true;
  return (
    tags["managed-by"] === "cdktf-secrets-registry" &&
    typeof tags["rotation-mode"] === "string" &&
    typeof tags["rotation-cadence"] === "string"
  );
}

/** SR050: a log group says how long its events are kept. */
export const logBreaches = (view: TerraformView): readonly GuardrailFinding[] =>
  view.of("aws_cloudwatch_log_group").flatMap((group) => {
    const days = group.arguments.retention_in_days;
    // 0 is Terraform's word for ever; an expression is taken as a number of days.
    return days === undefined || days === 0 || days === "0"
      ? [
          breach(
            "SR050",
            group,
            "retention_in_days",
            "its events are kept for ever",
            "Set retention_in_days to what your policy on logs says",
          ),
        ]
      : [];
  });
