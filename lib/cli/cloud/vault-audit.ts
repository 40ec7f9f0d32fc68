import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { Unanswered, VaultAudit } from "./preflight-cloud";

const TIMEOUT_MS = 10_000;

/**
 * {@link VaultAudit} by each Vault's API, with the token that Terraform would use.
 * https://developer.hashicorp.com/vault/api-docs/system/audit#list-enabled-audit-devices
 *
 * @param tokenOf token for a Vault; `undefined`: none, so that it cannot be asked
 */
export const vaultAudit = (tokenOf: (vault: string) => string | undefined): VaultAudit => ({
  devices: async (vault) => {
    const token = tokenOf(vault.name);
    if (token === undefined) return { unanswered: "no token for it" };
    const answer = await ask(new URL("/v1/sys/audit", vault.address), vault.caPem, {
      "x-vault-token": token,
      ...(vault.namespace === undefined ? {} : { "x-vault-namespace": vault.namespace }),
    });
    if ("unanswered" in answer) return answer;
    if (answer.status !== 200) return { unanswered: `it answers ${answer.status}` };
    return Object.keys(dataOf(answer.body)).sort();
  },
});

function dataOf(body: string): object {
  const json: unknown = JSON.parse(body);
  const data = typeof json === "object" && json !== null && "data" in json ? json.data : undefined;
  return typeof data === "object" && data !== null ? data : {};
}

function ask(
  url: URL,
  caPem: string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string } | Unanswered> {
  return new Promise((resolve) => {
    const fail = ({ code, name }: NodeJS.ErrnoException): void => resolve({ unanswered: code ?? name });
    const sent = request(
      url,
      {
        headers,
        ...(caPem === undefined ? {} : { ca: caPem }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        agent: false,
      },
      (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), fail);
      },
    );
    sent.once("error", fail);
    sent.end();
  });
}
