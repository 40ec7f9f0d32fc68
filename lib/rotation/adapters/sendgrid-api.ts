import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import type { SendGrid, SendGridAdmin } from "../targets/sendgrid";
import type { VendorKeys } from "../targets/vendor-keys";
import { bearer, type VendorAnswer, VendorApi } from "./vendor-api";

/** An account's API keys at most. */
const MOST_KEYS = 100;

const listed = z.object({ result: z.array(z.object({ api_key_id: z.string(), name: z.string() })) });
const made = z.object({
  api_key_id: z.string().check(z.minLength(1)),
  api_key: z.string().check(z.minLength(1)),
});
const scopesAnswer = z.object({ scopes: z.array(z.string()) });
/** One key by its id: SendGrid's specification has a list, its answers an object. */
const shown = z.union([
  z.object({ scopes: z.array(z.string()) }),
  z.pipe(
    z.object({ result: z.array(z.object({ scopes: z.array(z.string()) })).check(z.minLength(1)) }),
    z.transform(({ result }) => ({ scopes: result[0]?.scopes ?? [] })),
  ),
]);
const errors = z.object({ errors: z.array(z.object({ field: z.nullish(z.string()) })) });

/** SendGrid's address, and the keys' settings. */
export type SendGridPlace = Pick<KindSettings<"sendgrid">, "host" | "apiUrl" | "scopes" | "subuser">;

/** Base URL by the settings: global, EU, or another one. */
export const sendGridUrl = ({ host, apiUrl }: Pick<SendGridPlace, "host" | "apiUrl">): string =>
  apiUrl ?? `https://${host}`;

/**
 * {@link SendGrid} over its API, version 3.
 * https://www.twilio.com/docs/sendgrid/api-reference/api-keys
 * https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions
 */
export function sendGridApi(place: SendGridPlace, admin: () => Promise<SendGridAdmin>): SendGrid {
  const { scopes, subuser } = place;
  const api = new VendorApi({ baseUrl: sendGridUrl(place) });
  // https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/on-behalf-of
  const asSubuser = subuser === undefined ? {} : { "on-behalf-of": subuser };
  const asAdmin = async () => ({
    headers: { ...bearer((await admin()).apiKey), ...asSubuser },
    presents: "admin" as const,
  });

  const keys: VendorKeys = {
    async list() {
      const query = { limit: String(MOST_KEYS) };
      const answer = await api.call({ path: "/v3/api_keys", query, ...(await asAdmin()) });
      return api.read(answer, listed).result.map(({ api_key_id: id, name }) => ({ id, name }));
    },

    async create(name) {
      const answer = await api.call({
        method: "POST",
        path: "/v3/api_keys",
        // Without scopes the key could do everything.
        json: { name, scopes },
        answers: [400, 403],
        ...(await asAdmin()),
      });
      if (answer.status >= 400) throw await whyNotMade(answer);
      const { api_key_id: id, api_key: key } = api.read(answer, made);
      return { id, key };
    },

    async remove(id) {
      const { status } = await api.call({
        method: "DELETE",
        path: `/v3/api_keys/${encodeURIComponent(id)}`,
        answers: [404],
        ...(await asAdmin()),
      });
      return status !== 404;
    },
  };

  /** SendGrid answers 403 both to a key without the right and for an account without room. */
  const whyNotMade = async (answer: VendorAnswer): Promise<RotationError> => {
    const origin = `HTTP-${answer.status}`;
    if (answer.status === 403) {
      const count = (await keys.list()).length;
      return count >= MOST_KEYS
        ? new RotationError(
            "target-misconfigured",
            `the account has ${count} API keys, and SendGrid allows ${MOST_KEYS}: delete keys that nobody uses`,
            origin,
          )
        : new RotationError("right-missing", "the admin key's scope api_keys.create", origin);
    }
    const fields = errors.safeParse(answer.body).data?.errors.map(({ field }) => field) ?? [];
    return fields.includes("scopes")
      ? new RotationError(
          "target-misconfigured",
          `SendGrid does not grant ${scopes.join(", ")}: correct the scopes, or give them to the admin key as well`,
          origin,
        )
      : new RotationError("unexpected", `POST /v3/api_keys at ${api.host}`, origin);
  };

  return {
    keys,
    async scopesOf(apiKey) {
      const answer = await api.call({
        path: "/v3/scopes",
        headers: bearer(apiKey),
        presents: "credential",
        answers: [401, 403],
      });
      if (answer.status === 401) return undefined;
      // SendGrid knows the key, and does not let it ask.
      return answer.status === 403 ? "untold" : api.read(answer, scopesAnswer).scopes;
    },

    async shownScopes(id) {
      const path = `/v3/api_keys/${encodeURIComponent(id)}`;
      const answer = await api.call({ path, answers: [404], ...(await asAdmin()) });
      return answer.status === 404 ? undefined : api.read(answer, shown).scopes;
    },

    async maySend(apiKey) {
      const { status, body } = await api.call({
        method: "POST",
        path: "/v3/mail/send",
        headers: bearer(apiKey),
        presents: "credential",
        json: UNDELIVERED,
        answers: [400, 401, 403],
      });
      if (status !== 403) return status !== 401;
      // A refusal of the right to send names no field; a field says that the message is not to SendGrid's liking.
      return errors.safeParse(body).data?.errors.some(({ field }) => Boolean(field)) ?? false;
    },
  };
}

/**
 * A message that is looked at and never delivered.
 * https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sandbox-mode
 */
const UNDELIVERED = {
  personalizations: [{ to: [{ email: "nobody@example.com" }] }],
  from: { email: "nobody@example.com" },
  subject: "A key is tried",
  content: [{ type: "text/plain", value: "This is not delivered." }],
  mail_settings: { sandbox_mode: { enable: true } },
};
