import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { loopbackCertificate } from "./loopback-certificate";
import { startInGroup } from "./server-group";
import type { ServerOptions } from "./server-options";
import { SigningKey } from "./signing-key";

/** A GitHub Actions job of the protected branch, unless other claims are given. */
export interface JobTokenRequest {
  readonly audience: string;
  readonly repository: string;
  readonly ref: string;
  /** @default "push" */
  readonly eventName?: string;
}

/** Server for what lies outside of the account: CI's token issuer, and the pages that health checks ask for. */
export interface OutsideServer {
  /** `https://127.0.0.1:<port>`, which is CI's issuer. */
  readonly url: string;
  /** File of its authority, for `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string;
  /** Address here of a page that the registry names. */
  relocated(url: string, status: number, contains?: string): string;
  /** Pages whose URL in the registry contains this text answer 503 until it is empty. */
  failing: string;
  /** Text that an application adds to its page, such as the version that it uses; by path. Default: none. */
  says: (path: string) => Promise<string>;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  jobToken(request: JobTokenRequest): string;
}

/** Life of a job's token in seconds, as GitHub has it. */
const LIFE = 300;

/** Starts CI's issuer and the checked pages, inside this process. */
export async function startOutsideServer(options: Pick<ServerOptions, "group"> = {}): Promise<OutsideServer> {
  return startInGroup(options.group, async (group) => {
    const place = group.placeFor("outside");
    const key = await SigningKey.generate("RS256");
    const { caPem, certificatePem, privateKeyPem } = loopbackCertificate("Outside");
    const asked: string[] = [];
    const pages = new Map<string, { readonly status: number; readonly body: string }>();
    const server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
      const path = request.url ?? "/";
      if (path === "/.well-known/jwks") {
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify({ keys: [key.publicJwk()] }));
        return;
      }
      asked.push(path);
      const page = pages.get(path);
      const fails = outside.failing !== "" && path.includes(outside.failing);
      outside.says(path).then(
        (said) =>
          response
            .writeHead(page === undefined ? 404 : fails ? 503 : page.status)
            .end(page === undefined ? undefined : page.body + said),
        () => response.writeHead(500).end(),
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    server.unref();
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const caFile = `${place.folder}/ca.pem`;
    writeFileSync(caFile, caPem);
    const outside: OutsideServer = {
      url,
      caFile,
      relocated: (original, status, contains = "") => {
        const path = `/${original.replace(/^https:\/\//, "")}`;
        pages.set(path, { status, body: contains });
        return url + path;
      },
      failing: "",
      says: async () => "",
      asked,
      jobToken: ({ audience, repository, ref, eventName = "push" }) => {
        const now = Math.floor(Date.now() / 1_000);
        return key.sign({
          iss: url,
          aud: audience,
          iat: now,
          exp: now + LIFE,
          repository,
          ref,
          ref_protected: "true",
          event_name: eventName,
        });
      },
    };
    group.adopt(
      place,
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    return outside;
  });
}
