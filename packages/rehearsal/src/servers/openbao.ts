import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { startOnFreePort } from "./free-port";
import { loopbackCertificate } from "./loopback-certificate";
import { provision } from "./provision";
import { sendJson } from "./send-json";
import { startInGroup } from "./server-group";
import {
  PROBE_TIMEOUT_MS,
  type ProvisionedServerOptions,
  START_TIMEOUT_MS,
  serverEnvironment,
} from "./server-options";

/** Options of {@link startOpenBao}. */
export interface OpenBaoOptions extends ProvisionedServerOptions {
  /**
   * More of the server's configuration file, its top-level keys: audit devices, which OpenBao takes from there only.
   * @default none
   */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/** Options of one call. */
export interface OpenBaoCall {
  readonly body?: unknown;
  /**
   * The token to call with; `null` for none.
   * @default the root token
   */
  readonly token?: string | null;
  readonly namespace?: string;
}

/** An answer of the API. Which fields it has depends on the path. */
export interface OpenBaoAnswer {
  readonly data?: Readonly<Record<string, unknown>>;
  /** After a login. */
  readonly auth?: {
    readonly client_token: string;
    readonly lease_duration: number;
    readonly token_policies: readonly string[];
    readonly metadata: Readonly<Record<string, string>>;
  };
  /** Of a leased secret. */
  readonly lease_id?: string;
  readonly lease_duration?: number;
}

/** The API refused a call. */
export class OpenBaoRefusal extends Error {
  override readonly name = "OpenBaoRefusal";

  constructor(
    call: string,
    /** HTTP status: 403 forbidden, 404 nothing there, 503 sealed. */
    readonly status: number,
    /** The server's own words. */
    readonly errors: readonly string[],
  ) {
    super(`${call} was refused with ${status}: ${errors.join("; ") || "no reason given"}`);
  }
}

/** A running OpenBao server, initialised and unsealed. Its storage is its memory. */
export interface OpenBao {
  /** `https://127.0.0.1:<port>`. */
  readonly address: string;
  /** Authority of its certificate. */
  readonly caPem: string;
  /** File with {@link caPem}, for agents. */
  readonly caFile: string;
  readonly rootToken: string;
  /** The binary, for `bao agent`. */
  readonly binary: string;
  readonly logFile: string;
  /**
   * Calls the API.
   *
   * @param path after `/v1/`: `sys/mounts/kv-dev`
   * @throws OpenBaoRefusal for every status from 400
   */
  call(method: string, path: string, call?: OpenBaoCall): Promise<OpenBaoAnswer>;
  /** From now on it answers 503, as after an accident. */
  seal(): Promise<void>;
  /** Ends the seal. */
  unseal(): Promise<void>;
  /** Ends the server; all its state is gone. */
  stop(): Promise<void>;
}

const Answer = z.looseObject({
  data: z.nullish(z.record(z.string(), z.unknown())),
  auth: z.nullish(
    z.looseObject({
      client_token: z.string(),
      lease_duration: z.number(),
      token_policies: z.array(z.string()),
      metadata: z.nullish(z.record(z.string(), z.string())),
    }),
  ),
  lease_id: z.optional(z.string()),
  lease_duration: z.optional(z.number()),
});
const Errors = z.object({ errors: z.array(z.string()) });
const Initialised = z.object({ keys_base64: z.tuple([z.string()]), root_token: z.string() });

/**
 * Starts a real OpenBao server. Root token and unseal key exist in memory only.
 *
 * @throws ServerFault when it cannot be installed or does not come up
 */
export async function startOpenBao(options: OpenBaoOptions = {}): Promise<OpenBao> {
  const { bao } = await provision(options);
  return startInGroup(options.group, async (group) => {
    const place = group.placeFor("openbao");
    const { folder, logFile } = place;
    // Only the server that we started has the certificate's key: who answers with it is no other process on the
    // same port.
    const { caPem, caFile, certificateFile, privateKeyFile } = writeCertificate(folder);

    const { address, server } = await startOnFreePort(async (port) => {
      const address = `https://127.0.0.1:${port}`;
      const listener = {
        address: `127.0.0.1:${port}`,
        tls_cert_file: certificateFile,
        tls_key_file: privateKeyFile,
      };
      const configuration = {
        ...options.configuration,
        api_addr: address,
        // Else it listens on the next port too, which nobody has found free.
        disable_clustering: true,
        listener: [{ tcp: listener }],
        storage: { inmem: {} },
        ui: false,
      };
      const configurationFile = join(folder, "openbao.json");
      writeFileSync(configurationFile, JSON.stringify(configuration), { mode: 0o600 });
      const server = group.startProcess({
        name: "OpenBao",
        command: bao,
        args: ["server", `-config=${configurationFile}`],
        environment: serverEnvironment(folder),
        folder,
        logFile,
      });
      await server.whenReady(async () => {
        const url = `${address}/v1/sys/seal-status`;
        const { status } = await sendJson({ url, caPem, timeoutMs: PROBE_TIMEOUT_MS });
        return status === 200;
      }, options.startTimeoutMs ?? START_TIMEOUT_MS);
      return { address, server };
    });

    const send = async (method: string, path: string, call: OpenBaoCall): Promise<unknown> => {
      const headers = {
        ...(call.token ? { "x-vault-token": call.token } : {}),
        ...(call.namespace === undefined ? {} : { "x-vault-namespace": call.namespace }),
      };
      const url = `${address}/v1/${path}`;
      const { status, body } = await sendJson({ url, method, headers, caPem, body: call.body });
      if (status < 400) return body ?? {};
      throw new OpenBaoRefusal(`${method} ${path}`, status, Errors.safeParse(body).data?.errors ?? []);
    };

    const unsealWith = (key: string) => send("PUT", "sys/unseal", { body: { key } });

    const stop = group.adopt(place, () => server.stop());
    try {
      const initialised = Initialised.parse(
        await send("PUT", "sys/init", { body: { secret_shares: 1, secret_threshold: 1 } }),
      );
      const [unsealKey] = initialised.keys_base64;
      await unsealWith(unsealKey);
      const { root_token: rootToken } = initialised;
      const call: OpenBao["call"] = async (method, path, request = {}) => {
        const token = request.token === undefined ? rootToken : request.token;
        return toAnswer(await send(method, path, { ...request, token }));
      };
      return {
        address,
        caPem,
        caFile,
        rootToken,
        binary: bao,
        logFile,
        call,
        seal: async () => {
          await call("PUT", "sys/seal");
        },
        unseal: async () => {
          await unsealWith(unsealKey);
        },
        stop,
      };
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

/**
 * A namespace of a server, made with those above it: whoever calls without naming another one is in it. Agents and functions
 * name it by themselves.
 *
 * @param path `env/prod/`, as Vault writes it or without the slash; `undefined`: the server as it is
 */
export async function inNamespace(server: OpenBao, path: string | undefined): Promise<OpenBao> {
  const names = (path ?? "").split("/").filter((name) => name !== "");
  if (names.length === 0) return server;
  for (const [depth, name] of names.entries()) {
    const above = names.slice(0, depth).join("/");
    await server.call("POST", `sys/namespaces/${name}`, above === "" ? {} : { namespace: above });
  }
  const namespace = names.join("/");
  return {
    ...server,
    call: (method, place, request) => server.call(method, place, { namespace, ...request }),
  };
}

function toAnswer(body: unknown): OpenBaoAnswer {
  const { data, auth, lease_id, lease_duration } = Answer.parse(body);
  return {
    ...(data && { data }),
    ...(auth && { auth: { ...auth, metadata: auth.metadata ?? {} } }),
    ...(lease_id !== undefined && { lease_id }),
    ...(lease_duration !== undefined && { lease_duration }),
  };
}

interface CertificateFiles {
  readonly caPem: string;
  readonly caFile: string;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

function writeCertificate(folder: string): CertificateFiles {
  const certificate = loopbackCertificate("OpenBao");
  const files = {
    caPem: certificate.caPem,
    caFile: join(folder, "ca.pem"),
    certificateFile: join(folder, "certificate.pem"),
    privateKeyFile: join(folder, "key.pem"),
  };
  writeFileSync(files.caFile, certificate.caPem);
  writeFileSync(files.certificateFile, certificate.certificatePem);
  writeFileSync(files.privateKeyFile, certificate.privateKeyPem, { mode: 0o600 });
  return files;
}
