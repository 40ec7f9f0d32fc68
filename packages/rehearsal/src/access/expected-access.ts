import type { SecretPlan } from "../../../../lib/blueprint";
import type { Operation } from "./aws-probe";

/** Service at which an operation is tried. */
export type Layer = "aws" | "vault";

/** Operations that the registry's consumers have, by layer; nobody else has any. */
const CONSUMERS: Readonly<Record<Layer, readonly Operation[]>> = {
  aws: ["read", "readPrevious", "describe"],
  // Metadata of KV names all versions and who wrote them; a reader needs none of it.
  vault: ["read", "readPrevious"],
};

/** The registry's answer for one cell of the access matrix. */
export function isExpected(
  workload: string,
  secret: Pick<SecretPlan, "consumers">,
  layer: Layer,
  operation: Operation,
): boolean {
  return secret.consumers.includes(workload) && CONSUMERS[layer].includes(operation);
}
