import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import type { Datadog, DatadogAdmin } from "../targets/datadog";
import type { VendorKey, VendorKeys } from "../targets/vendor-keys";
import { type VendorAnswer, VendorApi, type VendorRequest } from "./vendor-api";

/** Keys on one page, at most. */
const PAGE_SIZE = 100;
/** An organisation's API keys at most, where Datadog does not say otherwise. */
const MOST_API_KEYS = 50;

const time = z.pipe(
  z.nullish(z.string()),
  z.transform((text) => (text ? new Date(text) : undefined)),
);
const listed = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      attributes: z.object({
        name: z.string(),
        last4: z._default(z.string(), ""),
        /** Last use of an API key. */
        date_last_used: time,
        /** Last use of an application key. */
        last_used_at: time,
      }),
    }),
  ),
  meta: z.optional(
    z.object({
      max_allowed: z.optional(z.number()),
      max_allowed_per_user: z.optional(z.number()),
      page: z.optional(z.partial(z.object({ total_filtered_count: z.number() }))),
    }),
  ),
});
const made = z.object({
  data: z.object({
    id: z.string().check(z.minLength(1)),
    attributes: z.object({ key: z.string().check(z.minLength(1)) }),
  }),
});
const validated = z.object({ valid: z.boolean() });

/** Datadog's address, and the owner of the application keys. */
export type DatadogPlace = Pick<
  KindSettings<"datadog">,
  "site" | "apiUrl" | "serviceAccountId" | "appKeyScopes"
>;

/** Base URL by the settings: the organisation's site, or another one. */
export const datadogUrl = ({ site, apiUrl }: Pick<DatadogPlace, "site" | "apiUrl">): string =>
  apiUrl ?? `https://api.${site}`;

/** One of Datadog's lists of keys. */
interface KeyList {
  readonly path: string;
  readonly type: "api_keys" | "application_keys";
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Permissions that the admin needs. */
  readonly permissions: string;
  /** Reason for which there is no such list. */
  readonly missing: string;
  /** Reason for which a key could be a bad request: only what the settings say about it can be wrong. */
  readonly doubtful?: string;
}

/**
 * {@link Datadog} over its API, version 2.
 * https://docs.datadoghq.com/api/latest/key-management/
 * https://docs.datadoghq.com/api/latest/service-accounts/
 */
export function datadogApi(place: DatadogPlace, admin: () => Promise<DatadogAdmin>): Datadog {
  const { serviceAccountId, appKeyScopes } = place;
  const api = new VendorApi({ baseUrl: datadogUrl(place) });

  const takesBoth = async (apiKey: string, appKey: string): Promise<boolean> => {
    const { status } = await api.call({
      path: "/api/v2/validate_keys",
      headers: headersOf(apiKey, appKey),
      presents: "credential",
      answers: [401, 403],
    });
    return status < 400;
  };

  /** Datadog says Forbidden to keys that it does not know and to those without the permission alike. */
  const callAsAdmin = async (
    request: Pick<VendorRequest, "method" | "path" | "query" | "json" | "answers">,
    permissions: string,
  ): Promise<VendorAnswer> => {
    const { apiKey, appKey } = await admin();
    const answer = await api.call({
      ...request,
      headers: headersOf(apiKey, appKey),
      presents: "admin",
      answers: [401, 403, ...(request.answers ?? [])],
    });
    if (answer.status !== 401 && answer.status !== 403) return answer;
    const origin = `HTTP-${answer.status}`;
    throw (await takesBoth(apiKey, appKey))
      ? new RotationError("right-missing", `the admin's permissions ${permissions}`, origin)
      : new RotationError("admin-refused", api.host, origin);
  };

  const keysOf = ({ path, type, attributes, permissions, missing, doubtful }: KeyList): VendorKeys => {
    const page = async (number: number, size: number) => {
      const query = { "page[size]": String(size), "page[number]": String(number), sort: "created_at" };
      const answer = await callAsAdmin({ path, query, answers: [404] }, permissions);
      if (answer.status === 404) throw new RotationError("target-misconfigured", missing);
      return api.read(answer, listed);
    };

    /** Reason for which a key was not made. Datadog's documents do not say how it reports that there is no room. */
    const whyNotMade = async (failure: RotationError): Promise<RotationError> => {
      const { meta } = await page(0, 1);
      const most = meta?.max_allowed ?? meta?.max_allowed_per_user ?? MOST_API_KEYS;
      const count = meta?.page?.total_filtered_count ?? 0;
      const detail =
        count >= most
          ? `there are ${count} ${type}, and Datadog allows ${most}: delete keys that nobody uses`
          : failure.origin === "HTTP-400"
            ? doubtful
            : undefined;
      return detail === undefined
        ? failure
        : new RotationError("target-misconfigured", detail, failure.origin);
    };

    return {
      async list() {
        const keys: VendorKey[] = [];
        for (let number = 0; ; number += 1) {
          const { data } = await page(number, PAGE_SIZE);
          keys.push(
            ...data.map(({ id, attributes: { name, last4, date_last_used, last_used_at } }) => ({
              id,
              name,
              lastCharacters: last4,
              lastUsedAt: date_last_used ?? last_used_at,
            })),
          );
          if (data.length < PAGE_SIZE) return keys;
        }
      },

      async create(name) {
        const json = { data: { type, attributes: { name, ...attributes } } };
        const answer = await callAsAdmin({ method: "POST", path, json }, permissions).catch(
          async (failure: RotationError) => {
            throw /^(right-missing|unexpected)$/.test(failure.code) ? await whyNotMade(failure) : failure;
          },
        );
        const { id, attributes: shown } = api.read(answer, made).data;
        return { id, key: shown.key };
      },

      async remove(id) {
        const request = {
          method: "DELETE",
          path: `${path}/${encodeURIComponent(id)}`,
          answers: [404],
        } as const;
        return (await callAsAdmin(request, permissions)).status !== 404;
      },
    };
  };

  return {
    apiKeys: keysOf({
      path: "/api/v2/api_keys",
      type: "api_keys",
      attributes: {},
      permissions: "api_keys_read, api_keys_write, api_keys_delete",
      missing: `${api.host} has no API keys`,
    }),
    appKeys: keysOf({
      path: `/api/v2/service_accounts/${encodeURIComponent(serviceAccountId)}/application_keys`,
      type: "application_keys",
      attributes: appKeyScopes === undefined ? {} : { scopes: appKeyScopes },
      permissions: "service_account_write",
      missing: `there is no service account ${serviceAccountId}`,
      ...(appKeyScopes === undefined
        ? {}
        : { doubtful: `Datadog does not grant ${appKeyScopes.join(", ")}: correct appKeyScopes` }),
    }),
    async takesApiKey(apiKey) {
      const answer = await api.call({
        path: "/api/v1/validate",
        headers: { "dd-api-key": apiKey },
        presents: "credential",
        answers: [401, 403],
      });
      return answer.status < 400 && api.read(answer, validated).valid;
    },
    takesBoth,
  };
}

const headersOf = (apiKey: string, appKey: string): Readonly<Record<string, string>> => ({
  "dd-api-key": apiKey,
  "dd-application-key": appKey,
});
