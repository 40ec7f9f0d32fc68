import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import * as z from "zod/mini";
import { ClusterControllers } from "./controllers";
import { loopbackCertificate } from "./loopback-certificate";
import { closeServer, listenOnLoopback } from "./loopback-server";
import { ServerFault } from "./server-fault";
import { startInGroup } from "./server-group";
import type { ServerOptions } from "./server-options";
import { type Claims, type SigningAlgorithm, SigningKey } from "./signing-key";
import { reviewToken, type TokenAuthority } from "./token-review";

/** The ServiceAccount that may ask for token reviews, as Vault's does in a cluster. */
const REVIEWER = { namespace: "vault", serviceAccount: "token-reviewer" } as const;
const DEFAULT_TTL_SECONDS = 3600;
/** The API server's own limit. */
const BODY_LIMIT = 3 * 1024 * 1024;

/** Options of {@link startClusterIssuer}. */
export interface ClusterIssuerOptions extends Pick<ServerOptions, "group"> {
  /**
   * Value of the tokens' `iss`. The registry's `clusters[].issuer`, so that trust policies and Vault roles fit;
   * the keys are found at {@link ClusterIssuer.jwksUrl} all the same.
   * @default the server's own URL
   */
  readonly issuer?: string;
  /**
   * Algorithm by which tokens are signed.
   * @default "RS256", as EKS does
   */
  readonly algorithm?: SigningAlgorithm;
  /**
   * The API server's own audiences: those of a token that names none.
   * @default the issuer, as `--api-audiences` has it
   */
  readonly apiAudiences?: readonly string[];
}

/** Request for one token. */
export interface ServiceAccountTokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** @default the API server's own audiences */
  readonly audience?: string | readonly string[];
  /**
   * Life in seconds; negative for a token that has expired.
   * @default 3600
   */
  readonly ttlSeconds?: number;
  /**
   * Another `sub`, which no cluster would write.
   * @default `system:serviceaccount:<namespace>:<serviceAccount>`
   */
  readonly subject?: string;
  /**
   * Form of `aud`. Kubernetes always writes a list; the embedded AWS understands a text only (see the gap
   * `web-identity-audience-list`).
   * @default "list"
   */
  readonly audienceForm?: "list" | "text";
}

/** A running token authority of one cluster: what of its API server Vault and AWS look at. */
export interface ClusterIssuer {
  /** `https://127.0.0.1:<port>`: Vault's `kubernetes_host`. */
  readonly url: string;
  /** Value of `iss`. */
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Authority of its certificate: Vault's `kubernetes_ca_cert`, `jwks_ca_pem`. */
  readonly caPem: string;
  /** May ask for token reviews: Vault's `token_reviewer_jwt`. Good for a day. */
  readonly reviewerToken: string;
  /**
   * Makes a token as the kubelet projects it into a pod.
   *
   * @throws ServerFault when several audiences are to be one text
   */
  token(request: ServiceAccountTokenRequest): string;
  /** Controllers that rotations restart. */
  readonly controllers: ClusterControllers;
  stop(): Promise<void>;
}

/** zod/mini has no texts of its own. */
const { localeError } = z.locales.en();

/** The API server takes version and kind from the path when the body is silent on them; Vault's and OpenBao's are. */
const TokenReview = z.object({
  apiVersion: z._default(z.literal("authentication.k8s.io/v1"), "authentication.k8s.io/v1"),
  kind: z._default(z.literal("TokenReview"), "TokenReview"),
  spec: z.object({ token: z.string().check(z.minLength(1)), audiences: z.optional(z.array(z.string())) }),
});

/** Starts the token authority of one cluster, inside this process. */
export async function startClusterIssuer(options: ClusterIssuerOptions = {}): Promise<ClusterIssuer> {
  return startInGroup(options.group, async (group) => {
    const place = group.placeFor("cluster-issuer");
    const key = await SigningKey.generate(options.algorithm ?? "RS256");
    const { caPem, certificatePem, privateKeyPem } = loopbackCertificate("Kubernetes");
    // Always TLS: Vault's kubernetes auth insists on an authority's certificate.
    const server = createServer({ cert: certificatePem, key: privateKeyPem });
    const url = `https://127.0.0.1:${await listenOnLoopback(server)}`;
    const issuer = options.issuer ?? url;
    const authority: TokenAuthority = { key, issuer, apiAudiences: options.apiAudiences ?? [issuer] };
    const jwksUrl = `${url}/openid/v1/jwks`;
    const controllers = new ClusterControllers();
    server.on("request", (request, response) => {
      answer(request, authority, jwksUrl, controllers).then(
        ({ status, body }) => send(response, status, body),
        (error: unknown) => send(response, 500, statusOf(500, "InternalError", String(error))),
      );
    });

    const identifiers = new Map<string, string>();
    const token = (request: ServiceAccountTokenRequest) =>
      key.sign(claimsOf(request, authority, identifiers));
    return {
      url,
      issuer,
      jwksUrl,
      caPem,
      reviewerToken: token({ ...REVIEWER, ttlSeconds: 86_400 }),
      token,
      controllers,
      stop: group.adopt(place, () => closeServer(server)),
    };
  });
}

function claimsOf(
  request: ServiceAccountTokenRequest,
  { issuer, apiAudiences }: TokenAuthority,
  identifiers: Map<string, string>,
): Claims {
  const { namespace, serviceAccount, ttlSeconds = DEFAULT_TTL_SECONDS } = request;
  const subject = `system:serviceaccount:${namespace}:${serviceAccount}`;
  const uid = identifiers.get(subject) ?? randomUUID();
  identifiers.set(subject, uid);
  const audiences = [request.audience ?? apiAudiences].flat();
  const now = Math.floor(Date.now() / 1000);
  // An expired token was valid once: its times stay in order.
  const issuedAt = Math.min(now, now + ttlSeconds - 1);
  return {
    iss: issuer,
    sub: request.subject ?? subject,
    aud: request.audienceForm === "text" ? onlyOne(audiences) : audiences,
    iat: issuedAt,
    nbf: issuedAt,
    exp: now + ttlSeconds,
    jti: randomUUID(),
    "kubernetes.io": {
      namespace,
      serviceaccount: { name: serviceAccount, uid },
      pod: { name: `${serviceAccount}-0`, uid: randomUUID() },
    },
  };
}

function onlyOne(audiences: readonly string[]): string {
  const [audience] = audiences;
  if (audience !== undefined && audiences.length === 1) return audience;
  throw new ServerFault(
    `Cluster issuer: a token with audiences ${JSON.stringify(audiences)} in the form "text", which has room for one. Ask for one audience, or for the form "list".`,
  );
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answer(
  request: IncomingMessage,
  authority: TokenAuthority,
  jwksUrl: string,
  controllers: ClusterControllers,
): Promise<Answer> {
  const route = `${request.method} ${new URL(request.url ?? "/", "http://cluster").pathname}`;
  if (route === "GET /.well-known/openid-configuration") return ok(discoveryDocument(authority, jwksUrl));
  if (route === "GET /openid/v1/jwks") return ok({ keys: [authority.key.publicJwk()] });
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  if (controllers.isFor(route)) return controllers.answer(route, bearer, await readJson(request));
  if (route !== "POST /apis/authentication.k8s.io/v1/tokenreviews") {
    return refused(404, "NotFound", "the server could not find the requested resource");
  }
  const now = Date.now() / 1000;
  const caller = reviewToken(authority, bearer, undefined, now).user?.username;
  if (caller === undefined) return refused(401, "Unauthorized", "Unauthorized");
  if (caller !== `system:serviceaccount:${REVIEWER.namespace}:${REVIEWER.serviceAccount}`) {
    const what =
      'cannot create resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope';
    return refused(
      403,
      "Forbidden",
      `tokenreviews.authentication.k8s.io is forbidden: User "${caller}" ${what}`,
    );
  }
  const review = TokenReview.safeParse(await readJson(request), { error: localeError });
  if (!review.success) return refused(400, "BadRequest", z.prettifyError(review.error));
  const { spec } = review.data;
  const status = reviewToken(authority, spec.token, spec.audiences, now);
  return { status: 201, body: { ...review.data, metadata: {}, status } };
}

function discoveryDocument({ issuer, key }: TokenAuthority, jwksUrl: string): Claims {
  return {
    issuer,
    jwks_uri: jwksUrl,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [key.algorithm],
  };
}

const ok = (body: unknown): Answer => ({ status: 200, body });

const refused = (status: number, reason: string, message: string): Answer => ({
  status,
  body: statusOf(status, reason, message),
});

/** The API server's form of an error. */
const statusOf = (code: number, reason: string, message: string): Claims => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  code,
});

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > BODY_LIMIT) return undefined;
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
