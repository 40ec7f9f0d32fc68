import { randomBytes } from "node:crypto";
import * as z from "zod/mini";
import { startVendorServer, type VendorCall, type VendorReply, type VendorServer } from "./vendor-server";

/** A key as SendGrid shows it once. */
export interface SendGridKey {
  readonly id: string;
  readonly key: string;
}

/** A running account at SendGrid. */
export interface SendGridServer extends VendorServer {
  /** May manage keys and give every scope of the account. */
  readonly adminKey: string;
  /** Names of all keys but the admin's, in the order of their making. */
  readonly keyNames: readonly string[];
  /** Makes a key as a person does in the web application. No scopes: full access. */
  makeKey(name: string, scopes?: readonly string[]): SendGridKey;
  /** Deletes a key as a person does there. */
  removeKey(key: string): void;
  /** Whether the account takes the key. */
  takes(key: string): boolean;
}

/** Options of {@link startSendGrid}. */
export interface SendGridServerOptions {
  /**
   * Requests for which a new key is not known yet.
   * @default 0
   */
  readonly propagation?: number;
}

interface KeyState extends SendGridKey {
  readonly name: string;
  readonly scopes: readonly string[];
  unknownFor: number;
}

/** "There is a limit of 100 API Keys on your account." */
const MOST_KEYS = 100;
/** What the account may do; a plan has many more. */
const ACCOUNT_SCOPES = [
  "alerts.read",
  "api_keys.create",
  "api_keys.delete",
  "api_keys.read",
  "api_keys.update",
  "mail.batch.create",
  "mail.send",
  "stats.read",
];
/** Scopes that SendGrid adds to every restricted key. */
const ADDED_SCOPES = ["2fa_required", "sender_verification_eligible"];

const newKey = z.object({ name: z.string().check(z.minLength(1)), scopes: z.optional(z.array(z.string())) });

/**
 * Starts an account at SendGrid as its documents describe it: keys that are shown once, scopes, 100 keys at most.
 * https://www.twilio.com/docs/sendgrid/api-reference/api-keys
 * https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions
 * The texts of refusals are those that client libraries' issues quote.
 */
export async function startSendGrid({
  propagation = 0,
}: SendGridServerOptions = {}): Promise<SendGridServer> {
  const keys = new Map<string, KeyState>();

  const add = (name: string, scopes: readonly string[], unknownFor: number): KeyState => {
    // 22 and 43 characters: 69 with `SG.` and the dot.
    const id = randomBytes(16).toString("base64url");
    const key = `SG.${id}.${randomBytes(32).toString("base64url")}`;
    const state = { id, key, name, scopes, unknownFor };
    keys.set(id, state);
    return state;
  };
  const admin = add("admin", ACCOUNT_SCOPES, 0);

  const callerOf = ({ headers }: VendorCall): KeyState | undefined => {
    const presented = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
    const caller = [...keys.values()].find(({ key }) => key === presented);
    if (caller === undefined) return undefined;
    if (caller.unknownFor > 0) {
      caller.unknownFor -= 1;
      return undefined;
    }
    return caller;
  };

  /** The route's answer to a key that has the scope. */
  const withScope =
    (scope: string | undefined, answer: (call: VendorCall, caller: KeyState) => VendorReply) =>
    (call: VendorCall): VendorReply => {
      const caller = callerOf(call);
      if (caller === undefined) return refusal(401);
      return scope === undefined || caller.scopes.includes(scope) ? answer(call, caller) : refusal(403);
    };

  const create = ({ json }: VendorCall, caller: KeyState): VendorReply => {
    const wanted = newKey.safeParse(json).data;
    if (wanted === undefined) return fault(400, "missing required argument", "name");
    const { name, scopes = caller.scopes } = wanted;
    if (!scopes.every((scope) => caller.scopes.includes(scope))) {
      return fault(400, "invalid or unassignable scopes were given", "scopes");
    }
    if (keys.size >= MOST_KEYS) return fault(403, "maximum number of api keys reached");
    const granted = wanted.scopes === undefined ? scopes : [...scopes, ...ADDED_SCOPES];
    const { id, key } = add(name, granted, propagation);
    return { status: 201, body: { api_key: key, api_key_id: id, name, scopes: granted } };
  };

  const server = await startVendorServer({
    refusal,
    routes: [
      { on: "POST /v3/api_keys", answer: withScope("api_keys.create", create) },
      {
        on: "GET /v3/api_keys",
        answer: withScope("api_keys.read", () => ({
          status: 200,
          body: { result: [...keys.values()].map(({ id, name }) => ({ name, api_key_id: id })) },
        })),
      },
      {
        on: "DELETE /v3/api_keys/:id",
        answer: withScope("api_keys.delete", ({ params }) =>
          keys.delete(params.id ?? "") ? { status: 204 } : fault(404, "unable to find key"),
        ),
      },
      {
        on: "GET /v3/scopes",
        answer: withScope(undefined, (_call, { scopes }) => ({ status: 200, body: { scopes } })),
      },
      { on: "POST /v3/mail/send", answer: withScope("mail.send", () => ({ status: 202 })) },
    ],
  });

  return {
    ...server,
    adminKey: admin.key,
    get keyNames() {
      return [...keys.values()].filter(({ id }) => id !== admin.id).map(({ name }) => name);
    },
    makeKey: (name, scopes = ACCOUNT_SCOPES) => add(name, scopes, 0),
    removeKey: (key) => {
      for (const state of [...keys.values()]) if (state.key === key) keys.delete(state.id);
    },
    takes: (key) => [...keys.values()].some((state) => state.key === key),
  };
}

const MESSAGES: Readonly<Record<number, string>> = {
  401: "The provided authorization grant is invalid, expired, or revoked",
  403: "access forbidden",
  404: "not found",
  429: "too many requests",
};

const refusal = (status: number): VendorReply => fault(status, MESSAGES[status] ?? "internal server error");

const fault = (status: number, message: string, field: string | null = null): VendorReply => ({
  status,
  body: { errors: [{ field, message }] },
});
