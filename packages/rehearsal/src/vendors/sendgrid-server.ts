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
  /** May manage keys and give every scope of the account, and of its subuser. */
  readonly adminKey: string;
  /** User name of the account's subuser, which has keys of its own. */
  readonly subuser: string;
  /** Names of the subuser's keys. */
  readonly subuserKeyNames: readonly string[];
  /** Names of all keys but the admin's, in the order of their making. */
  readonly keyNames: readonly string[];
  /** Makes a key as a person does in the web application. No scopes: full access. */
  makeKey(name: string, scopes?: readonly string[]): SendGridKey;
  /** Deletes a key as a person does there. */
  removeKey(key: string): void;
  /** `true` when the account takes the key. */
  takes(key: string): boolean;
}

/** Options of {@link startSendGrid}. */
export interface SendGridServerOptions {
  /**
   * Requests for which a new key is not known yet.
   * @default 0
   */
  readonly propagation?: number;
  /**
   * Restricted keys may not ask for their own scopes: 403, which the reference lists for `GET /v3/scopes`.
   * @default false
   */
  readonly scopesUntold?: boolean;
  /**
   * Messages from an address that is no verified sender are refused in sandbox mode, too; the documents do not say.
   * @default false
   */
  readonly unverifiedSender?: boolean;
}

interface KeyState extends SendGridKey {
  readonly name: string;
  readonly scopes: readonly string[];
  /** The subuser whose key it is; `undefined`: the account's own. */
  readonly owner: string | undefined;
  unknownFor: number;
}

/** "There is a limit of 100 API Keys on your account." */
const MOST_KEYS = 100;
/** Scopes of the account; a plan has many more. */
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

const SUBUSER = "acme-eu";

const message = z.object({
  personalizations: z.array(z.object({ to: z.array(z.object({ email: z.string() })) })).check(z.minLength(1)),
  from: z.object({ email: z.string() }),
  mail_settings: z.optional(z.object({ sandbox_mode: z.optional(z.object({ enable: z.boolean() })) })),
});

const newKey = z.object({ name: z.string().check(z.minLength(1)), scopes: z.optional(z.array(z.string())) });

/**
 * Starts an account at SendGrid as its documents describe it: keys that are shown once, scopes, 100 keys at most.
 * https://www.twilio.com/docs/sendgrid/api-reference/api-keys
 * https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions
 * The texts of refusals are those that client libraries' issues quote.
 */
export async function startSendGrid({
  propagation = 0,
  scopesUntold = false,
  unverifiedSender = false,
}: SendGridServerOptions = {}): Promise<SendGridServer> {
  const keys = new Map<string, KeyState>();

  const add = (
    name: string,
    scopes: readonly string[],
    unknownFor: number,
    owner: string | undefined = undefined,
  ): KeyState => {
    // 22 and 43 characters: 69 with `SG.` and the dot.
    const id = randomBytes(16).toString("base64url");
    const key = `SG.${id}.${randomBytes(32).toString("base64url")}`;
    const state = { id, key, name, scopes, owner, unknownFor };
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

  /**
   * Account whose keys a call is about: "generates the API call as if the Subuser ... is making the call", with "the
   * parent account's API key". A subuser that the account does not have is refused.
   * https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/on-behalf-of
   */
  const accountOf = ({ headers }: VendorCall, { owner }: KeyState): string | undefined =>
    headers["on-behalf-of"] ?? owner;
  const mayActFor = ({ headers }: VendorCall, { owner }: KeyState): boolean => {
    const asked = headers["on-behalf-of"];
    return asked === undefined || (owner === undefined && asked === SUBUSER);
  };
  const ofAccount =
    (answer: (call: VendorCall, caller: KeyState, account: string | undefined) => VendorReply) =>
    (call: VendorCall, caller: KeyState): VendorReply =>
      mayActFor(call, caller) ? answer(call, caller, accountOf(call, caller)) : refusal(403);
  const keysOf = (account: string | undefined): readonly KeyState[] =>
    [...keys.values()].filter(({ owner }) => owner === account);

  const create = ({ json }: VendorCall, caller: KeyState, account: string | undefined): VendorReply => {
    const wanted = newKey.safeParse(json).data;
    if (wanted === undefined) return fault(400, "missing required argument", "name");
    const { name, scopes = caller.scopes } = wanted;
    if (!scopes.every((scope) => caller.scopes.includes(scope))) {
      return fault(400, "invalid or unassignable scopes were given", "scopes");
    }
    if (keysOf(account).length >= MOST_KEYS) return fault(403, "maximum number of api keys reached");
    const granted = wanted.scopes === undefined ? scopes : [...scopes, ...ADDED_SCOPES];
    const { id, key } = add(name, granted, propagation, account);
    return { status: 201, body: { api_key: key, api_key_id: id, name, scopes: granted } };
  };

  /** "The on-behalf-of header does not work with the Mail Send API": it is the caller's own mail. */
  const send = ({ json }: VendorCall): VendorReply => {
    // Consumers of tests send without a body.
    if (json === undefined) return { status: 202 };
    const sent = message.safeParse(json).data;
    if (sent === undefined) return fault(400, "The personalizations field is required", "personalizations");
    if (unverifiedSender) {
      return fault(403, "The from address does not match a verified Sender Identity.", "from");
    }
    // "you will receive a 200 OK response (as opposed to the 202 ACCEPTED ...)"
    return { status: sent.mail_settings?.sandbox_mode?.enable === true ? 200 : 202 };
  };

  const server = await startVendorServer({
    refusal,
    routes: [
      { on: "POST /v3/api_keys", answer: withScope("api_keys.create", ofAccount(create)) },
      {
        on: "GET /v3/api_keys",
        answer: withScope(
          "api_keys.read",
          ofAccount((_call, _caller, account) => ({
            status: 200,
            body: { result: keysOf(account).map(({ id, name }) => ({ name, api_key_id: id })) },
          })),
        ),
      },
      {
        on: "GET /v3/api_keys/:id",
        answer: withScope(
          "api_keys.read",
          ofAccount(({ params }, _caller, account) => {
            const key = keysOf(account).find(({ id }) => id === params.id);
            if (key === undefined) return fault(404, "unable to find key");
            return { status: 200, body: { api_key_id: key.id, name: key.name, scopes: key.scopes } };
          }),
        ),
      },
      {
        on: "DELETE /v3/api_keys/:id",
        answer: withScope(
          "api_keys.delete",
          ofAccount(({ params: { id = "" } }, _caller, account) =>
            keys.get(id)?.owner === account && keys.delete(id)
              ? { status: 204 }
              : fault(404, "unable to find key"),
          ),
        ),
      },
      {
        on: "GET /v3/scopes",
        answer: withScope(undefined, (_call, { scopes }) =>
          scopesUntold && scopes.some((scope) => ADDED_SCOPES.includes(scope))
            ? refusal(403)
            : { status: 200, body: { scopes } },
        ),
      },
      { on: "POST /v3/mail/send", answer: withScope("mail.send", send) },
    ],
  });

  return {
    ...server,
    adminKey: admin.key,
    subuser: SUBUSER,
    get keyNames() {
      return keysOf(undefined)
        .filter(({ id }) => id !== admin.id)
        .map(({ name }) => name);
    },
    get subuserKeyNames() {
      return keysOf(SUBUSER).map(({ name }) => name);
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
