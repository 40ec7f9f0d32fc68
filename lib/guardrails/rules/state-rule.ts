import { isRecord } from "../../model/is-record";
import type { GuardrailFinding } from "../guardrail";
import type { TerraformView } from "../view/terraform-view";
import { breach } from "./breach";

/** Data sources whose answer is a value, which Terraform keeps in its state. */
const READS: ReadonlySet<string> = new Set([
  "aws_secretsmanager_secret_version",
  "aws_secretsmanager_secret_versions",
  "aws_secretsmanager_random_password",
  "aws_kms_secrets",
  "vault_generic_secret",
  "vault_kv_secret",
  "vault_kv_secret_v2",
  "vault_aws_access_credentials",
  "vault_database_secret",
]);

/** Resources that make a value, or take one that stays in the state, and the argument; `""`: the resource itself. */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  aws_secretsmanager_secret_version: ["secret_string", "secret_binary"],
  aws_iam_access_key: [""],
  random_password: [""],
  tls_private_key: [""],
  vault_generic_secret: ["data_json"],
  vault_kv_secret: ["data_json"],
  vault_kv_secret_v2: ["data_json"],
};

/** SR002: no element brings a secret's value into the state. */
export const stateBreaches = (view: TerraformView): readonly GuardrailFinding[] =>
  view.elements.flatMap((element) => {
    if (element.block === "data" && READS.has(element.type)) {
      return [
        breach(
          "SR002",
          element,
          "",
          "it reads a secret's value into the state",
          "Let the workload read the value when it runs; give it the secret's ARN, or use an ephemeral resource",
        ),
      ];
    }
    if (element.block === "output") return outputBreaches(element);
    if (element.block !== "resource") return [];
    return (WRITES[element.type] ?? []).flatMap((argument) =>
      argument !== "" && element.arguments[argument] === undefined
        ? []
        : [
            breach(
              "SR002",
              element,
              argument,
              argument === "" ? "it makes a value that stays in the state" : "its value stays in the state",
              "Create the secret without a value and let rotation or an operator give it, or use a write-only argument (…_wo)",
            ),
          ],
    );
  });

/** An output that hands on what a secret holds. */
const VALUE_OF =
  /\b(?:data\.)?(?:aws_secretsmanager_secret_version\.[\w-]+\.secret_(?:string|binary)|random_password\.[\w-]+\.(?:result|bcrypt_hash)|aws_iam_access_key\.[\w-]+\.(?:secret|ses_smtp_password_v4)|tls_private_key\.[\w-]+\.private_key_\w+|vault_\w+\.[\w-]+\.data(?:_json)?|aws_ssm_parameter\.[\w-]+\.value)\b/;

function outputBreaches(element: TerraformView["elements"][number]): readonly GuardrailFinding[] {
  const { value } = element.arguments;
  const text = typeof value === "string" ? value : isRecord(value) ? JSON.stringify(value) : "";
  return VALUE_OF.test(text)
    ? [
        breach(
          "SR002",
          element,
          "value",
          "it hands on a secret's value",
          "Give out the secret's ARN or name; a sensitive output is in the state as well",
        ),
      ]
    : [];
}
