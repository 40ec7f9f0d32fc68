import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CallerIdentities } from "../../../lib/rotation/procedure/caller-identity";

/** Nobody is asked who he is. */
export const NOBODY: CallerIdentities = {
  of: async () => {
    throw new Error("nobody's identity was to be asked for");
  },
};

/** Credentials as a person's shell has them. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request that STS was sent, for a test to look at. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const FRESH_MS = 5 * 60_000;
const QUERY_TYPE = /^application\/x-www-form-urlencoded/;

/**
 * STS of one region, as far as it answers `GetCallerIdentity`. It checks what AWS documents of a signature: scope of its own
 * region and service, a time that is at most five minutes off, the signature over method, path, every header that is signed and the
 * body; `host` and each `x-amz-` header have to be signed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * It does not know: throttling, session policies, keys that are switched off.
 */
export class StsModel {
  readonly seen: SeenRequest[] = [];
  /** Answers with this status and no identity. Default: as AWS would. */
  failing: number | undefined;
  readonly #holders = new Map<string, Keys & { readonly arn: string }>();
  readonly #server: Server;
  readonly #region: string;
  readonly #now: () => Date;

  private constructor(region: string, now: () => Date) {
    this.#region = region;
    this.#now = now;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const [status, text] = this.#answer(request, Buffer.concat(chunks).toString("utf8"));
        response.writeHead(status, { "content-type": "text/xml" }).end(text);
      });
    });
  }

  static async start(region: string, now: () => Date = () => new Date()): Promise<StsModel> {
    const model = new StsModel(region, now);
    await new Promise<void>((resolve) => model.#server.listen(0, "127.0.0.1", resolve));
    return model;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Keys of somebody new; temporary ones for the session of a role. */
  keysOf(arn: string): Keys {
    const number = this.#holders.size + 1;
    const isSession = arn.includes(":assumed-role/");
    const keys: Keys = {
      accessKeyId: `${isSession ? "ASIA" : "AKIA"}${String(number).padStart(16, "0")}`,
      secretAccessKey: createHash("sha256").update(`key ${number}`).digest("hex").slice(0, 40),
      ...(isSession ? { sessionToken: createHash("sha256").update(`token ${number}`).digest("base64") } : {}),
    };
    this.#holders.set(keys.accessKeyId, { ...keys, arn });
    return keys;
  }

  #answer(request: IncomingMessage, body: string): readonly [number, string] {
    const { method = "", url = "", headers } = request;
    this.seen.push({ method, url, headers, body });
    if (this.failing !== undefined) return [this.failing, errorOf("ServiceUnavailable")];
    const refusal = this.#refusalOf(request, body);
    if (refusal !== undefined) return [403, errorOf(refusal)];
    const { arn = "" } = this.#holders.get(keyIdOf(headers.authorization)) ?? {};
    const [, , , , account = ""] = arn.split(":");
    return [
      200,
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>AROA:x</UserId><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
    ];
  }

  #refusalOf({ method = "", url = "", headers }: IncomingMessage, body: string): string | undefined {
    const parts =
      /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/(\w+)\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=(\w+)$/.exec(
        headers.authorization ?? "",
      );
    if (parts === null) return "IncompleteSignature";
    const [, keyId = "", day = "", region = "", service = "", names = "", signature = ""] = parts;
    const holder = this.#holders.get(keyId);
    if (holder === undefined || (holder.sessionToken ?? "") !== (headers["x-amz-security-token"] ?? "")) {
      return "InvalidClientTokenId";
    }
    const date = String(headers["x-amz-date"]);
    const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
    if (Number.isNaN(at) || Math.abs(this.#now().getTime() - at) > FRESH_MS) return "SignatureDoesNotMatch";
    if (day !== date.slice(0, 8) || region !== this.#region || service !== "sts") {
      return "SignatureDoesNotMatch";
    }
    const signed = names.split(";");
    const needed = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
    if (needed.some((name) => !signed.includes(name))) return "SignatureDoesNotMatch";
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    const mac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
    const lines = signed.map((name) => `${name}:${String(headers[name] ?? "").trim()}\n`).join("");
    const [path = "", query = ""] = url.split("?");
    const canonical = [method, path, query, lines, names, hash(body)].join("\n");
    const scope = [day, region, service, "aws4_request"];
    const toSign = ["AWS4-HMAC-SHA256", date, scope.join("/"), hash(canonical)].join("\n");
    const key = scope.reduce<string | Buffer>(mac, `AWS4${holder.secretAccessKey}`);
    const [made, given] = [mac(key, toSign), Buffer.from(signature, "hex")];
    if (made.length !== given.length || !timingSafeEqual(made, given)) return "SignatureDoesNotMatch";
    const isAsked = new URLSearchParams(body).get("Action") === "GetCallerIdentity";
    return isAsked && QUERY_TYPE.test(headers["content-type"] ?? "") ? undefined : "InvalidAction";
  }
}

const keyIdOf = (authorization = ""): string => /Credential=(\w+)/.exec(authorization)?.[1] ?? "";

const errorOf = (code: string): string =>
  `<ErrorResponse><Error><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
