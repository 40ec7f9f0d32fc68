import type { IncomingHttpHeaders } from "node:http";
import { createServer, type Server } from "node:https";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";

/** Answers of the target beside its usual one. */
export interface HttpsBehaviour {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Says nothing, or breaks off inside the body. */
  readonly fate?: "silent" | "stalls" | "breaks";
}

/**
 * A target behind HTTPS with a certificate of its own: it takes the `Authorization` headers that it has been told, and
 * answers as RFC 9110 says, 200 or 401. Certificate and TLS are real.
 */
export class HttpsTarget {
  readonly #certificate = loopbackCertificate("HTTPS target");
  readonly #server: Server;
  /** Headers of the requests that came in. */
  readonly seen: IncomingHttpHeaders[] = [];
  /** Credentials that open it: tests of one request's headers. */
  readonly accepted = new Set<string>();
  behaviour: HttpsBehaviour = {};

  constructor() {
    this.#server = createServer(
      { cert: this.#certificate.certificatePem, key: this.#certificate.privateKeyPem },
      (request, response) => {
        this.seen.push(request.headers);
        const { authorization, "x-api-key": apiKey, "x-app-key": appKey } = request.headers;
        const presented = authorization ?? (apiKey === undefined ? undefined : `${apiKey} ${appKey}`);
        const good = presented !== undefined && this.accepted.has(presented);
        const { fate, status, headers, body = "welcome" } = this.behaviour;
        if (fate === "silent") return;
        response.writeHead(status ?? (good ? 200 : 401), {
          ...(good ? {} : { "www-authenticate": "Bearer" }),
          ...headers,
        });
        if (fate === undefined) {
          response.end(body);
          return;
        }
        response.write("wel");
        if (fate === "breaks") request.socket.destroy();
      },
    );
  }

  get caPem(): string {
    return this.#certificate.caPem;
  }

  /** @param host a name in the certificate: `localhost` or `127.0.0.1` */
  url(host = "localhost"): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("not listening");
    return `https://${host}:${address.port}/account`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
