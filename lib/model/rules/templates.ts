import { type Fault, fault } from "../faults";
import { traitsOf } from "../kinds";
import { SECRET_PATH } from "../kubernetes-grammar";
import { KV_VERSION_FIELD, SETTINGS_FIELD } from "../names";
import { nearest } from "../nearest";
import type { EnvironmentSecret } from "../resolve";
import type { ParsedFile } from "../secret-definition";
import { fieldsRead, readTemplate } from "../template-text";
import { forEnvironments, type RuleContext } from "./context";

/** Fields that Vault returns beside a static login. */
const ABOUT_STATIC_LOGINS = ["last_vault_rotation", "rotation_period", "rotation_schedule", "ttl"];

/**
 * Templates that an agent could not render: it would end with an error, or wait for a field that never comes
 * (`error_on_missing_key`), and so would the pod.
 */
export const templateFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (_, __, secrets) =>
    secrets.flatMap((secret) =>
      secret.consumers.flatMap(({ files = [] }) => files.flatMap((file) => faultsOf(secret, file))),
    ),
  );

function faultsOf(secret: EnvironmentSecret, { template, path }: ParsedFile): readonly Fault[] {
  if (template === undefined) return [];
  const at = ["secrets", secret.key, "files"];
  const where = `the template of ${path}`;
  const reading = readTemplate(template);
  if (reading.problem !== undefined) {
    return [
      fault(
        at,
        `${where}, with ${reading.problem}`,
        "a template that consul-template can read",
        'close it: {{ with secret "SECRET_PATH" }} … {{ end }}',
      ),
    ];
  }
  // Another secret has other fields.
  const readsOthers = reading.actions.some(
    (action) => /\bsecret\s+""/.test(action.text) && !namesPath(action),
  );
  if (readsOthers || !reading.actions.some(namesPath)) return [];
  const root = secret.store === "aws" ? ["Data", "data"] : ["Data"];
  const fields = fieldNames(secret);
  return fieldsRead(reading.actions).flatMap(({ path: read, hyphenated }) => {
    const found = `${where}, which reads .${read.join(".")}${hyphenated ? "-…" : ""}`;
    if (hyphenated) {
      return [
        fault(
          at,
          found,
          "names without hyphens after a dot (Go's templates)",
          `write {{ index .${root.join(".")} "…" }} for a field with a hyphen`,
        ),
      ];
    }
    const [, inner, name] = read;
    if (secret.store === "aws" && (inner === undefined || inner === "metadata")) return [];
    if (secret.store === "aws" && inner !== "data") {
      return [
        fault(
          at,
          found,
          "the value's fields in .Data.data, as Vault's KV has them",
          `write .Data.data.${inner}`,
        ),
      ];
    }
    const field = secret.store === "aws" ? name : inner;
    if (field === undefined || fields.includes(field)) return [];
    const near = nearest(field, fields);
    return [
      fault(
        at,
        found,
        `fields of a ${secret.kind}: ${fields.join(", ")}`,
        near === undefined ? "name one of them" : `write .${[...root, near].join(".")}`,
      ),
    ];
  });
}

/** `true` where an action names the secret's own path. */
const namesPath = ({ strings }: { readonly strings: readonly string[] }): boolean =>
  strings.some((string) => string.search(SECRET_PATH) >= 0);

function fieldNames(secret: EnvironmentSecret): readonly string[] {
  const own =
    secret.kind === "generic" ? secret.settings.fields : traitsOf(secret.kind).fields.map(({ name }) => name);
  return secret.store === "aws"
    ? [...own, KV_VERSION_FIELD, SETTINGS_FIELD]
    : [...own, ...(secret.acceptedBy === "single-slot" ? ABOUT_STATIC_LOGINS : [])];
}
