import { createPrivateKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import type { StripeKeys } from "../targets/stripe";
import { bearer, type VendorAnswer, VendorApi } from "./vendor-api";

/**
 * The value of the admin secret: the secret key of the account that owns a Stripe app. The app is installed in the
 * account whose keys it makes, with the permission `api_key_write`: no other key makes keys.
 */
export const stripeAdminSchema = z.object({
  apiKey: z.string().check(z.regex(/^sk_(test|live)_[A-Za-z0-9_]+$/)),
});

/** An app's key. */
export type StripeAdmin = z.output<typeof stripeAdminSchema>;

/**
 * API keys are served by preview versions only.
 * https://docs.stripe.com/stripe-apps/api-authentication/managed-api-keys
 */
const PREVIEW = "2026-08-26.preview";

/** Stripe takes pages of 100 at most. */
const PAGE = 100;

/** Fields that are read of a key. In test mode Stripe shows every key's secret in its lists: it is left where it is. */
const shownKey = z.object({
  id: z.string().check(z.minLength(1)),
  name: z.nullish(z.string()),
  status: z.string(),
  last_used: z.nullish(z.string()),
  permissions: z.nullish(z.array(z.string())),
});
const page = z.object({ data: z.array(shownKey), next_page_url: z.nullish(z.string()) });
const made = z.object({
  id: z.string().check(z.minLength(1)),
  secret_key: z.object({
    token: z.nullish(z.string()),
    encrypted_secret: z.nullish(z.object({ ciphertext: z.string(), format: z.string() })),
  }),
});

/** jose is an ES module; this is how a CommonJS one loads it on every Node that we support. */
const loadJose = () => import("jose");

/**
 * {@link StripeKeys} over `/v2/iam/api_keys`, by an app's key in the context of the account. Keys that it makes are
 * restricted (`rk_…`). `rotate` is not used: it ends the old key at once, or after seven days at most, and makes the new
 * one in the same call, before anybody has it.
 * https://docs.stripe.com/api/v2/iam/api-keys
 *
 * @param newPair RSA keys for one answer. @default new ones each time
 */
export function stripeKeysApi(
  { apiUrl, accountId, keyPermissions }: KindSettings<"stripe">,
  admin: () => Promise<StripeAdmin>,
  newPair: () => Promise<PairForOneAnswer> = pairForOneAnswer,
): StripeKeys {
  const api = new VendorApi({ baseUrl: apiUrl });
  const call = async (
    request: Omit<Parameters<VendorApi["call"]>[0], "headers" | "presents">,
  ): Promise<VendorAnswer> => {
    if (accountId === undefined) {
      throw new RotationError("settings-malformed", "rotation automatic needs accountId");
    }
    const headers = {
      ...bearer((await admin()).apiKey),
      "stripe-version": PREVIEW,
      "stripe-context": accountId,
    };
    const answers = [...(request.answers ?? []), 403];
    const answer = await api.call({ ...request, answers, headers, presents: "admin" });
    if (answer.status !== 403) return answer;
    throw new RotationError(
      "right-missing",
      `a Stripe app with the permission api_key_write that is installed in ${accountId}, and its owner's key as admin`,
      "HTTP-403",
    );
  };
  const pathOf = (id: string): string => `/v2/iam/api_keys/${encodeURIComponent(id)}`;

  return {
    async list() {
      const keys: z.output<typeof shownKey>[] = [];
      let query: Readonly<Record<string, string>> | undefined = { limit: String(PAGE) };
      while (query !== undefined) {
        const answer: VendorAnswer = await call({ path: "/v2/iam/api_keys", query });
        const { data, next_page_url: next } = api.read(answer, page);
        keys.push(...data);
        query = next == null ? undefined : Object.fromEntries(new URL(next, apiUrl).searchParams);
      }
      return keys
        .filter(({ status }) => status === "active")
        .map(({ id, name, last_used: lastUsed }) => ({
          id,
          name: name ?? "",
          lastUsedAt: lastUsed == null ? undefined : new Date(lastUsed),
        }));
    },

    async create(name) {
      const { publicKey, privateKey } = await newPair();
      const answer = await call({
        method: "POST",
        path: "/v2/iam/api_keys",
        json: {
          type: "secret_key",
          name,
          permissions: keyPermissions ?? [],
          public_key: { pem_key: { algorithm: "RSA", data: publicKey } },
        },
        answers: [400],
      });
      if (answer.status === 400) {
        throw new RotationError(
          "target-misconfigured",
          "Stripe makes no such key: correct keyPermissions",
          "HTTP-400",
        );
      }
      const { id, secret_key: secret } = api.read(answer, made);
      // Test mode answers in clear text, live mode with a JWE for the key that was sent.
      const key = secret.token ?? (await opened(secret.encrypted_secret?.ciphertext ?? "", privateKey));
      return { id, key };
    },

    async remove(id) {
      const path = `${pathOf(id)}/expire`;
      const { status } = await call({ method: "POST", path, json: {}, answers: [404] });
      return status !== 404;
    },

    async permissionsOf(id) {
      const answer = await call({ path: pathOf(id), answers: [404] });
      return answer.status === 404 ? undefined : (api.read(answer, shownKey).permissions ?? []);
    },
  };
}

/** Stripe encrypts a new key for the one, and the other opens it. */
export interface PairForOneAnswer {
  /** RSA in PEM, 2,048 bits or more. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** Keys for one answer, forgotten with it. */
async function pairForOneAnswer(): Promise<PairForOneAnswer> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2_048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return { publicKey, privateKey: createPrivateKey({ key: privateKey, format: "der", type: "pkcs8" }) };
}

/** Content of a JWE in compact form. */
async function opened(ciphertext: string, key: KeyObject): Promise<string> {
  const { compactDecrypt } = await loadJose();
  try {
    const { plaintext } = await compactDecrypt(ciphertext, key, {
      keyManagementAlgorithms: ["RSA-OAEP", "RSA-OAEP-256"],
      contentEncryptionAlgorithms: ["A256GCM"],
    });
    return new TextDecoder().decode(plaintext);
  } catch {
    throw new RotationError(
      "unexpected",
      "Stripe's new key cannot be read: it is not encrypted for the key sent",
    );
  }
}
