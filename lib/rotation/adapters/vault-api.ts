import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import * as z from "zod/mini";
import type { MirroredVault } from "../../contracts/function-settings";
import { originOf } from "../../lambda/failure-origin";
import type { FunctionIdentity, VaultEntry, VaultOpener, VaultSession } from "../mirror/mirror-ports";
import { RotationError, type RotationFaultCode } from "../protocol/rotation-error";
import { connectionFault } from "./connection-fault";

const ANSWER_TIMEOUT_MS = 10_000;
/** The engine logs in to its database meanwhile. */
const ROTATION_TIMEOUT_MS = 30_000;
/** Nothing hangs on it: the token ends by itself. */
const REVOCATION_TIMEOUT_MS = 2_000;
/** A value of Secrets Manager has 64 KB at most. */
const LARGEST_ANSWER = 1_048_576;

type Meanings = Readonly<Record<number, RotationFaultCode>>;

/** https://developer.hashicorp.com/vault/api-docs#http-status-codes */
const BY_STATUS: Meanings = {
  403: "vault-path-refused",
  404: "target-misconfigured",
  412: "target-busy",
  429: "throttled",
  472: "target-busy",
  473: "target-busy",
  501: "vault-sealed",
  502: "target-unreachable",
  503: "vault-sealed",
  504: "target-unreachable",
};
/** The jwt method answers 400 to what it does not believe, and Vault 403 to a mount that it does not have. */
const AT_LOGIN: Meanings = {
  ...BY_STATUS,
  400: "vault-login-refused",
  403: "vault-login-refused",
  404: "vault-login-refused",
};
/** Meanings of statuses at a rotation: the engine's database said no, or nothing. */
const AT_ROTATION: Meanings = { ...BY_STATUS, 400: "target-refused", 500: "target-refused" };

/** Node's names for what an AbortSignal ended. */
const TIMEOUT = /^(ABORT_ERR|AbortError|TimeoutError)$/;

const Login = z.object({ auth: z.object({ client_token: z.string().check(z.minLength(1)) }) });
const Entry = z.object({
  data: z.object({
    data: z.nullable(z.record(z.string(), z.unknown())),
    metadata: z.object({ version: z.int().check(z.positive()) }),
  }),
});
const Refusal = z.object({ errors: z.array(z.string()) });

interface Answer {
  readonly status: number;
  /** `undefined` when there is none. */
  readonly body: unknown;
}

interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
  readonly token?: string;
  readonly timeoutMs?: number;
}

/**
 * {@link VaultOpener} over Vault's HTTP API, which OpenBao has, too: TLS with the given authority (or those that Node
 * trusts), host name verified, no fallback, no redirects.
 */
export class VaultApi implements VaultOpener {
  readonly #identity: FunctionIdentity;
  readonly #guard: (value: unknown) => void;

  /** @param guard takes every token before it is used */
  constructor(identity: FunctionIdentity, guard: (value: unknown) => void) {
    this.#identity = identity;
    this.#guard = guard;
  }

  async open(vault: MirroredVault): Promise<VaultSession> {
    const jwt = await this.#identity.token(vault.audience);
    this.#guard(jwt);
    const http = new VaultHttp(vault);
    try {
      const path = `auth/${vault.authMount}/login`;
      const answer = await http.ask({ method: "POST", path, body: { role: vault.role, jwt } });
      if (answer.status !== 200) throw http.fault(answer, AT_LOGIN, path);
      const login = Login.safeParse(answer.body);
      if (!login.success) throw http.foreign();
      const token = login.data.auth.client_token;
      this.#guard(token);
      return new ApiSession(http, vault, token);
    } catch (failure) {
      http.close();
      throw failure;
    }
  }
}

class ApiSession implements VaultSession {
  readonly #http: VaultHttp;
  readonly #vault: MirroredVault;
  readonly #token: string;

  constructor(http: VaultHttp, vault: MirroredVault, token: string) {
    this.#http = http;
    this.#vault = vault;
    this.#token = token;
  }

  async read(secretPath: string): Promise<VaultEntry> {
    const path = this.#dataPath(secretPath);
    const answer = await this.#http.ask({ method: "GET", path, token: this.#token });
    // A path without versions is 404 without errors; a latest version that was deleted is 404 with its metadata.
    const known = answer.status === 200 || answer.status === 404;
    const entry = Entry.safeParse(answer.body);
    if (known && entry.success) {
      const { data, metadata } = entry.data.data;
      return { number: metadata.version, data: data ?? undefined };
    }
    if (answer.status === 404 && Refusal.safeParse(answer.body).data?.errors.length === 0) {
      return { number: 0, data: undefined };
    }
    throw answer.status === 200 ? this.#http.foreign() : this.#http.fault(answer, BY_STATUS, path);
  }

  async write(secretPath: string, data: Readonly<Record<string, unknown>>, number: number): Promise<void> {
    const path = this.#dataPath(secretPath);
    const body = { options: { cas: number }, data };
    const answer = await this.#http.ask({ method: "POST", path, body, token: this.#token });
    if (answer.status === 200) return;
    if (answer.status === 400 && isConflict(answer)) {
      throw new RotationError("vault-write-conflict", `${path} at Vault ${this.#vault.name}`);
    }
    throw this.#http.fault(answer, BY_STATUS, path);
  }

  async rotateRoot(mount: string, connection: string): Promise<void> {
    const path = `${mount}/rotate-root/${connection}`;
    const answer = await this.#http.ask({
      method: "POST",
      path,
      token: this.#token,
      timeoutMs: ROTATION_TIMEOUT_MS,
    });
    if (answer.status !== 200 && answer.status !== 204) throw this.#http.fault(answer, AT_ROTATION, path);
  }

  async close(): Promise<void> {
    try {
      await this.#http.ask({
        method: "POST",
        path: "auth/token/revoke-self",
        token: this.#token,
        timeoutMs: REVOCATION_TIMEOUT_MS,
      });
    } catch {
      // The token's short life is what the policy rests on.
    } finally {
      this.#http.close();
    }
  }

  #dataPath(secretPath: string): string {
    return `${this.#vault.kvMount}/data/${secretPath}`;
  }
}

/** The words have been the same since KV v2 exists, in Vault and OpenBao; there is no code for it. */
const isConflict = ({ body }: Answer): boolean =>
  Refusal.safeParse(body).data?.errors.some((text) =>
    text.includes("check-and-set parameter did not match"),
  ) ?? false;

/** Requests to one Vault, on connections that are kept until the end. */
class VaultHttp {
  readonly #vault: MirroredVault;
  readonly #where: string;
  readonly #agent: Agent;

  constructor(vault: MirroredVault) {
    this.#vault = vault;
    this.#where = `Vault ${vault.name}`;
    this.#agent = new Agent({
      keepAlive: true,
      rejectUnauthorized: true,
      ...(vault.caPem === undefined ? {} : { ca: vault.caPem }),
    });
  }

  /** @throws RotationError when there is no answer of Vault's */
  async ask(question: Question): Promise<Answer> {
    try {
      return await this.#send(question);
    } catch (failure) {
      if (failure instanceof RotationError) throw failure;
      if (TIMEOUT.test(originOf(failure))) {
        throw new RotationError("target-unreachable", this.#where, "timeout");
      }
      throw (
        connectionFault(failure, this.#where) ??
        new RotationError("unexpected", this.#where, originOf(failure))
      );
    }
  }

  /** An answer that is none of success. */
  fault({ status }: Answer, meanings: Meanings, path: string): RotationError {
    const where = `${path} at ${this.#where}`;
    if (status >= 300 && status < 400) {
      return new RotationError(
        "target-misconfigured",
        `${this.#where} sends elsewhere: name an address whose node answers or forwards by itself`,
        `HTTP${status}`,
      );
    }
    return new RotationError(meanings[status] ?? "unexpected", where, `HTTP${status}`);
  }

  /** Something else than Vault answers. */
  foreign(): RotationError {
    return new RotationError("target-misconfigured", `${this.#where} does not speak Vault's API`);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send({ method, path, body, token, timeoutMs = ANSWER_TIMEOUT_MS }: Question): Promise<Answer> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { address, namespace } = this.#vault;
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(
        new URL(`v1/${path}`, address.endsWith("/") ? address : `${address}/`),
        {
          method,
          agent: this.#agent,
          // From the first packet to the last: a server that sends a byte now and then holds nobody up.
          signal: AbortSignal.timeout(timeoutMs),
          headers: {
            accept: "application/json",
            ...(payload && { "content-type": "application/json", "content-length": payload.length }),
            ...(token === undefined ? {} : { "x-vault-token": token }),
            ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
          },
        },
        resolve,
      );
      outgoing.once("error", reject);
      outgoing.end(payload);
    });
    return { status: incoming.statusCode ?? 0, body: await this.#read(incoming) };
  }

  async #read(incoming: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of incoming) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > LARGEST_ANSWER) throw this.foreign();
    }
    try {
      return length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch {
      // A proxy's page; the status says what it means.
      return undefined;
    }
  }
}
