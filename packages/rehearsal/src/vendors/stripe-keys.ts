import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import type { StripeMode, StripeOwner } from "./stripe-webhooks";
import { stripeError, stripeWord } from "./stripe-words";
import type { VendorCall, VendorReply } from "./vendor-server";

/** A key that opens an account, several accounts, or an app. */
export interface StripeKey extends StripeOwner {
  readonly id: string;
  readonly token: string;
  /** `undefined`: a secret key, which may do everything but make keys. */
  permissions: readonly string[] | undefined;
  name: string;
  note: string;
  readonly created: Date;
  /** Accounts of an organisation's key. */
  readonly accounts?: readonly string[];
  /** The app that made it; people make the others in the dashboard. */
  readonly managedBy?: string;
  /** Time at which it ends, or ended. */
  expiresAt: Date | undefined;
  /** "Timestamp when the API key was last used": https://stripe.dev/stripe-java/com/stripe/model/v2/iam/ApiKey.html */
  lastUsed?: Date;
}

/** An app whose owner's key may make keys where it is installed. */
interface App {
  readonly id: string;
  readonly installs: Set<string>;
}

/** API keys are served by preview versions only: https://docs.stripe.com/stripe-apps/api-authentication/managed-api-keys */
const PREVIEW = /^\d{4}-\d\d-\d\d\.preview$/;

/** Measured at a sandbox, 2026-09: `limit=200` is refused with "The maximum page limit is 100". */
const PAGE = { most: 100, default: 10 };

/** Fields of requests, by stripe-node's description: `src/resources/V2/Iam/ApiKeys.ts`. */
const ON_CREATE = ["type", "name", "note", "permissions", "connect_permissions", "expires_at", "public_key"];
const ON_UPDATE = ["name", "note", "permissions", "connect_permissions"];
const ON_ROTATE = ["expire_current_key_in_minutes", "public_key"];

/** "with a maximum of 7 days (10080 minutes)" */
const LONGEST_GRACE_MINUTES = 10_080;

/** Settings of {@link StripeApiKeys}. */
export interface StripeApiKeysProps {
  readonly now: () => Date;
  /** Time for which an expired key works on. Stripe does not say; 9 seconds were measured. */
  readonly expiryDelaySeconds: number;
}

/**
 * Keys, and what the key of an app can do with them: `/v2/iam/api_keys`.
 * No API key can make another. The one principal that can is an installed app with the permission `api_key_write`: its
 * owner's key, with the account in `Stripe-Context`. What it makes are restricted keys (`rk_…`).
 * https://docs.stripe.com/stripe-apps/api-authentication/managed-api-keys
 */
export class StripeApiKeys {
  readonly #keys = new Map<string, StripeKey>();
  readonly #apps = new Map<string, App>();
  readonly #props: StripeApiKeysProps;

  constructor(props: StripeApiKeysProps) {
    this.#props = props;
  }

  /** The key with this text; one that has ended is still known as such. */
  get(token: string): StripeKey | undefined {
    return this.#keys.get(token);
  }

  hasEnded({ expiresAt }: StripeKey): boolean {
    return expiresAt !== undefined && expiresAt <= this.#props.now();
  }

  of({ account, mode }: StripeOwner): readonly StripeKey[] {
    return [...this.#keys.values()].filter((key) => key.account === account && key.mode === mode);
  }

  add(owner: StripeOwner, prefix: string, rest: Partial<StripeKey> = {}): StripeKey {
    const key: StripeKey = {
      account: owner.account,
      mode: owner.mode,
      id: `mk_${stripeWord(24)}`,
      token: `${prefix}_${owner.mode}_${stripeWord(99)}`,
      permissions: undefined,
      name: "",
      note: "",
      created: this.#props.now(),
      expiresAt: undefined,
      ...rest,
    };
    this.#keys.set(key.token, key);
    return key;
  }

  /** An app with its owner's key. */
  addApp(mode: StripeMode, installedIn: readonly string[]): { readonly token: string; readonly app: App } {
    const app = { id: `ca_${stripeWord(16)}`, installs: new Set(installedIn) };
    const { token } = this.add({ account: `acct_${stripeWord(16)}`, mode }, "sk");
    this.#apps.set(token, app);
    return { token, app };
  }

  /** Checks who asks before a route of `/v2/iam/api_keys` answers. */
  managed(
    answer: (call: VendorCall, owner: StripeOwner, app: App) => VendorReply,
  ): (call: VendorCall, key: StripeKey) => VendorReply {
    return (call, key) => {
      const version = call.headers["stripe-version"];
      // https://docs.stripe.com/api-v2-overview: requests to /v2 name their version
      if (version === undefined) return stripeError(400, "Missing required header: Stripe-Version");
      if (!PREVIEW.test(version)) {
        return stripeError(404, `Unrecognized request URL (${call.method}: ${call.path}).`);
      }
      const app = this.#apps.get(key.token);
      const account = call.headers["stripe-context"] ?? key.account;
      if (app === undefined || !app.installs.has(account)) {
        return stripeError(
          403,
          `The provided key does not have access to account '${account}', or the permission 'api_key_write'`,
          "more_permissions_required",
        );
      }
      return answer(call, { account, mode: key.mode }, app);
    };
  }

  list({ query }: VendorCall, owner: StripeOwner): VendorReply {
    const limit = Number(query.get("limit") ?? PAGE.default);
    if (!Number.isInteger(limit) || limit < 1) return stripeError(400, "limit: must be a positive integer");
    if (limit > PAGE.most) return stripeError(400, `limit: The maximum page limit is ${PAGE.most}`);
    const all = this.of(owner).filter(
      (key) => query.get("include_expired") === "true" || !this.#isExpired(key),
    );
    const from = Number(query.get("page") ?? 0);
    const more = from + limit < all.length;
    return {
      status: 200,
      body: {
        data: all.slice(from, from + limit).map((key) => this.#shown(key)),
        next_page_url: more
          ? `https://api.stripe.com/v2/iam/api_keys?limit=${limit}&page=${from + limit}`
          : null,
        previous_page_url: null,
      },
    };
  }

  retrieve({ params }: VendorCall, owner: StripeOwner): VendorReply {
    return this.#found(params.id ?? "", owner, (key) => ({ status: 200, body: this.#shown(key) }));
  }

  create({ json }: VendorCall, owner: StripeOwner, app: App): VendorReply {
    const input = fieldsOf(json);
    const wrong = unknownField(input, ON_CREATE);
    if (wrong !== undefined) return wrong;
    if (input.type !== "secret_key") return stripeError(400, "type: must be secret_key here");
    const permissions = listOf(input.permissions);
    if (permissions.length === 0) return stripeError(400, "permissions: must name at least one permission");
    const odd = permissions.find((name) => !/^[a-z0-9_]+_(read|write)$/.test(name));
    if (odd !== undefined) return stripeError(400, `permissions: Invalid permission '${odd}'`);
    const pem = pemOf(input);
    // "A public key is required when creating secret keys."
    if (pem === undefined && owner.mode === "live") return stripeError(400, "public_key: Required field");
    if (pem !== undefined && strengthOf(pem) < 2_048) {
      return stripeError(400, "public_key: must be a PEM-formatted RSA key, >= 2048 bits");
    }
    const key = this.add(owner, "rk", {
      permissions,
      name: String(input.name ?? ""),
      note: String(input.note ?? ""),
      managedBy: app.id,
    });
    return { status: 200, body: this.#shown(key, pem) };
  }

  update({ json, params }: VendorCall, owner: StripeOwner): VendorReply {
    const input = fieldsOf(json);
    const wrong = unknownField(input, ON_UPDATE);
    if (wrong !== undefined) return wrong;
    return this.#found(params.id ?? "", owner, (key) => {
      const permissions = listOf(input.permissions);
      // Measured: an empty list is answered with 200, and changes nothing.
      if (permissions.length > 0) key.permissions = permissions;
      if (typeof input.name === "string" && input.name !== "") key.name = input.name;
      if (typeof input.note === "string" && input.note !== "") key.note = input.note;
      return { status: 200, body: this.#shown(key) };
    });
  }

  /** "The specified key becomes invalid immediately", says the description; nine seconds later, was measured. */
  expire({ params }: VendorCall, owner: StripeOwner, app: App): VendorReply {
    return this.#found(params.id ?? "", owner, (key) => {
      if (key.managedBy !== app.id) return stripeError(403, "The key is not managed by this application");
      const { now, expiryDelaySeconds } = this.#props;
      key.expiresAt ??= new Date(now().getTime() + expiryDelaySeconds * 1_000);
      return { status: 200, body: { ...this.#shown(key), status: "expired" } };
    });
  }

  /** "A new key with the same properties is created and returned. The existing key is expired immediately, unless …" */
  rotate({ json, params }: VendorCall, owner: StripeOwner, app: App): VendorReply {
    const input = fieldsOf(json);
    const wrong = unknownField(input, ON_ROTATE);
    if (wrong !== undefined) return wrong;
    const minutes = Number(input.expire_current_key_in_minutes ?? 0);
    if (!(minutes >= 0 && minutes <= LONGEST_GRACE_MINUTES)) {
      return stripeError(400, `expire_current_key_in_minutes: must be at most ${LONGEST_GRACE_MINUTES}`);
    }
    return this.#found(params.id ?? "", owner, (key) => {
      if (key.managedBy !== app.id) return stripeError(403, "The key is not managed by this application");
      key.expiresAt = new Date(this.#props.now().getTime() + minutes * 60_000);
      const { permissions, name, note, managedBy } = key;
      const next = this.add(owner, "rk", { permissions, name, note, managedBy: managedBy ?? app.id });
      return { status: 200, body: this.#shown(next, pemOf(input)) };
    });
  }

  #isExpired({ expiresAt }: StripeKey): boolean {
    return expiresAt !== undefined;
  }

  #found(id: string, owner: StripeOwner, answer: (key: StripeKey) => VendorReply): VendorReply {
    const key = this.of(owner).find((candidate) => candidate.id === id && !this.hasEnded(candidate));
    return key === undefined ? stripeError(404, `No such API key: '${id}'`, "not_found") : answer(key);
  }

  /** In test mode the token stands in every answer, lists included (measured); in live mode in the first, as a JWE. */
  #shown(key: StripeKey, pem?: string) {
    const live = key.mode === "live";
    return {
      id: key.id,
      object: "v2.iam.api_key",
      connect_permissions: [],
      created: key.created.toISOString(),
      ip_allowlist: [],
      last_used: key.lastUsed?.toISOString() ?? null,
      livemode: live,
      ...(key.managedBy === undefined
        ? {}
        : { managed_by: { type: "application", application: { id: key.managedBy } } }),
      name: key.name,
      note: key.note,
      permissions: key.permissions ?? [],
      secret_key: {
        secret_token_redacted: `${key.token.slice(0, 8)}...${key.token.slice(-4)}`,
        ...(live ? {} : { token: key.token }),
        ...(live && pem !== undefined
          ? { encrypted_secret: { ciphertext: jweOf(key.token, pem), format: "jwe_compact" } }
          : {}),
      },
      status: this.#isExpired(key) ? "expired" : "active",
      type: "secret_key",
    };
  }
}

const fieldsOf = (json: unknown): Readonly<Record<string, unknown>> =>
  typeof json === "object" && json !== null ? { ...json } : {};

const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Measured: "status: Unknown field, did you mean name, note?" */
function unknownField(
  input: Readonly<Record<string, unknown>>,
  known: readonly string[],
): VendorReply | undefined {
  const name = Object.keys(input).find((field) => !known.includes(field));
  return name === undefined ? undefined : stripeError(400, `${name}: Unknown field.`);
}

function pemOf(input: Readonly<Record<string, unknown>>): string | undefined {
  const { pem_key: pem } = fieldsOf(input.public_key);
  const { data } = fieldsOf(pem);
  return typeof data === "string" ? data : undefined;
}

function strengthOf(pem: string): number {
  try {
    return createPublicKey(pem).asymmetricKeyDetails?.modulusLength ?? 0;
  } catch {
    return 0;
  }
}

/** RFC 7516, compact: RSA-OAEP-256 and A256GCM. Made here by hand, so that another one reads what it is told to. */
function jweOf(text: string, pem: string): string {
  const header = Buffer.from(JSON.stringify({ alg: "RSA-OAEP-256", enc: "A256GCM" })).toString("base64url");
  const [contentKey, iv] = [randomBytes(32), randomBytes(12)];
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const wrapped = publicEncrypt({ key: pem, padding, oaepHash: "sha256" }, contentKey);
  const cipher = createCipheriv("aes-256-gcm", contentKey, iv);
  cipher.setAAD(Buffer.from(header, "ascii"));
  const ciphertext = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  const parts = [wrapped, iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString("base64url"));
  return [header, ...parts].join(".");
}
