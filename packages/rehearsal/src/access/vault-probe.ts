import { randomBytes } from "node:crypto";
import type { SecretPlan } from "../../../../lib/blueprint";
import type { VaultCall } from "../load/vault-server";
import type { Operation, Outcome } from "./aws-probe";

/**
 * Tries an operation on a secret in Vault.
 *
 * @param isRefusal distinguishes a refusal (403) from other errors, which prove nothing and are thrown on
 */
export async function probeVault(
  call: VaultCall,
  operation: Operation,
  secret: SecretPlan,
  isRefusal: (error: unknown) => boolean,
): Promise<Outcome> {
  try {
    return {
      allowed: true,
      value: JSON.stringify(await (secret.store === "aws" ? kv : engine)(call, operation, secret)),
    };
  } catch (error) {
    if (isRefusal(error)) return { allowed: false };
    throw error;
  }
}

/** The mirror's copy in KV v2. */
function kv(call: VaultCall, operation: Operation, { vaultPath }: SecretPlan): Promise<unknown> {
  const metadata = vaultPath.replace("/data/", "/metadata/");
  switch (operation) {
    case "read":
      return call("GET", vaultPath);
    case "readPrevious":
      return call("GET", `${vaultPath}?version=1`);
    case "describe":
      return call("GET", metadata);
    case "put":
      return call("POST", vaultPath, {
        options: { cas: 0 },
        data: { probe: randomBytes(16).toString("hex") },
      });
    case "delete":
      return call("DELETE", metadata);
    case "list":
      return call("LIST", metadata.slice(0, metadata.lastIndexOf("/")));
  }
}

/** A database role of an engine. Each read makes a new user; there is no value before it. */
function engine(call: VaultCall, operation: Operation, { vaultPath }: SecretPlan): Promise<unknown> {
  const role = vaultPath.replace("/static-creds/", "/static-roles/").replace("/creds/", "/roles/");
  switch (operation) {
    case "read":
    case "readPrevious":
      return call("GET", vaultPath);
    case "describe":
      return call("GET", role);
    case "put":
      return call("POST", role, { default_ttl: 1 });
    case "delete":
      return call("DELETE", role);
    case "list":
      return call("LIST", role.slice(0, role.lastIndexOf("/")));
  }
}
