import { randomBytes, randomInt, randomUUID } from "node:crypto";
import * as z from "zod/mini";
import { startVendorServer, type VendorCall, type VendorReply, type VendorServer } from "./vendor-server";

/** A pair of keys. */
export interface DatadogKeys {
  readonly apiKey: string;
  readonly apiKeyId: string;
  readonly appKey: string;
  readonly appKeyId: string;
}

/** A running organisation at Datadog. */
export interface DatadogServer extends VendorServer {
  /** Of a person who may manage all keys. */
  readonly admin: DatadogKeys;
  /** Service account whose application keys rotate. */
  readonly serviceAccountId: string;
  /** Names of the organisation's API keys but the admin's. */
  readonly apiKeyNames: readonly string[];
  /** Names of the service account's application keys. */
  readonly appKeyNames: readonly string[];
  /** Makes a pair as a person does in the web application; the application key is the service account's. */
  makeKeys(name: string): DatadogKeys;
  /** Deletes a pair as a person does there. */
  removeKeys(keys: Pick<DatadogKeys, "apiKeyId" | "appKeyId">): void;
  /** Makes a person with these permissions and an API key and an application key for the person. */
  makePerson(permissions: readonly string[]): DatadogKeys;
  /** Disables the service account, and with it its keys. */
  disableServiceAccount(): void;
  /** `true` when the organisation takes the pair. */
  takes(keys: Pick<DatadogKeys, "apiKey" | "appKey">): boolean;
}

/** Options of {@link startDatadog}. */
export interface DatadogServerOptions {
  /** The organisation's API keys at most. @default 50 */
  readonly mostApiKeys?: number;
  /** Status by which it refuses one more: the documents list 400 and 403. @default 400 */
  readonly fullStatus?: 400 | 403;
  /** Validations for which a new key is not known yet. @default 0 */
  readonly propagation?: number;
  /** @default the time */
  readonly now?: () => Date;
}

interface KeyState {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly owner: Account | undefined;
  readonly scopes: readonly string[] | null;
  readonly createdAt: Date;
  lastUsedAt: Date | undefined;
  unknownFor: number;
}

interface Account {
  readonly permissions: readonly string[];
  disabled: boolean;
}

const KEY_PERMISSIONS = ["api_keys_read", "api_keys_write", "api_keys_delete", "service_account_write"];
/** Scopes that an application key may have; Datadog has one for each permission. */
const SCOPES = ["dashboards_read", "metrics_read", "monitors_read", "monitors_write"];

const newKey = z.object({
  data: z.object({
    type: z.enum(["api_keys", "application_keys"]),
    attributes: z.object({
      name: z.string().check(z.minLength(1)),
      scopes: z.nullish(z.array(z.enum(SCOPES))),
    }),
  }),
});

/**
 * Starts an organisation at Datadog as its documents and its client libraries' recorded answers describe it: API keys with
 * unique names and a limit, application keys that are shown once and live as long as their account, and no difference
 * between an unknown key and a missing permission.
 * https://docs.datadoghq.com/account_management/api-app-keys/
 * https://docs.datadoghq.com/api/latest/key-management/
 * https://docs.datadoghq.com/api/latest/service-accounts/
 */
export async function startDatadog({
  mostApiKeys = 50,
  fullStatus = 400,
  propagation = 0,
  now = () => new Date(),
}: DatadogServerOptions = {}): Promise<DatadogServer> {
  const serviceAccountId = randomUUID();
  const serviceAccount: Account = { permissions: [], disabled: false };
  const apiKeys = new Map<string, KeyState>();
  const appKeys = new Map<string, KeyState>();

  const add = (
    keys: Map<string, KeyState>,
    key: string,
    name: string,
    more: Partial<KeyState> = {},
  ): KeyState => {
    const id = randomUUID();
    const state = {
      ...{ id, key, name, owner: undefined, scopes: null, createdAt: now(), lastUsedAt: undefined },
      unknownFor: 0,
      ...more,
    };
    keys.set(id, state);
    return state;
  };
  const addPair = (name: string, owner: Account): DatadogKeys => {
    const api = add(apiKeys, apiKeyText(), name);
    const app = add(appKeys, appKeyText(), name, { owner });
    return { apiKey: api.key, apiKeyId: api.id, appKey: app.key, appKeyId: app.id };
  };
  const admin = addPair("admin", { permissions: KEY_PERMISSIONS, disabled: false });

  /** The key that a header presents, when Datadog takes it. */
  const presented = (
    keys: Map<string, KeyState>,
    { headers }: VendorCall,
    header: string,
  ): KeyState | undefined => {
    const state = [...keys.values()].find(({ key }) => key === headers[header]);
    if (state === undefined || state.owner?.disabled) return undefined;
    if (state.unknownFor > 0) {
      state.unknownFor -= 1;
      return undefined;
    }
    state.lastUsedAt = now();
    return state;
  };

  const withApiKey =
    (answer: (call: VendorCall) => VendorReply) =>
    (call: VendorCall): VendorReply =>
      presented(apiKeys, call, "dd-api-key") ? answer(call) : refusal(403);

  const withBoth = (permission: string | undefined, answer: (call: VendorCall) => VendorReply) =>
    withApiKey((call) => {
      const owner = presented(appKeys, call, "dd-application-key")?.owner;
      const may = permission === undefined || owner?.permissions.includes(permission);
      return owner !== undefined && may ? answer(call) : refusal(403);
    });

  /** The service account's routes know no other account. */
  const ofServiceAccount = (answer: (call: VendorCall) => VendorReply) =>
    withBoth("service_account_write", (call) =>
      call.params.account === serviceAccountId ? answer(call) : fault(404, "User not found"),
    );

  const listOf = (
    keys: readonly KeyState[],
    row: (key: KeyState) => object,
    { query }: VendorCall,
    limits: object,
  ): VendorReply => {
    const size = Math.min(Number(query.get("page[size]") ?? 10), 100);
    const start = Number(query.get("page[number]") ?? 0) * size;
    const found = keys.filter(({ name }) => name.includes(query.get("filter") ?? ""));
    return {
      status: 200,
      body: {
        data: found.slice(start, start + size).map((key) => row(key)),
        meta: { ...limits, page: { total_filtered_count: found.length } },
      },
    };
  };

  const createApiKey = ({ json }: VendorCall): VendorReply => {
    const wanted = newKey.safeParse(json).data?.data;
    if (wanted?.type !== "api_keys") return fault(400, "Invalid request body");
    const { name } = wanted.attributes;
    if ([...apiKeys.values()].some((key) => key.name === name)) {
      return fault(400, "API key name already exists");
    }
    if (apiKeys.size >= mostApiKeys) return fault(fullStatus, "Maximum number of API keys reached");
    const state = add(apiKeys, apiKeyText(), name, { unknownFor: propagation });
    return { status: 201, body: { data: apiKeyRow(state, state.key) } };
  };

  const createAppKey = ({ json }: VendorCall): VendorReply => {
    const wanted = newKey.safeParse(json).data?.data;
    if (wanted?.type !== "application_keys") return fault(400, "Invalid request body");
    const { name, scopes = null } = wanted.attributes;
    const state = add(appKeys, appKeyText(), name, {
      owner: serviceAccount,
      scopes,
      unknownFor: propagation,
    });
    return { status: 201, body: { data: appKeyRow(state, state.key) } };
  };

  const ownedByServiceAccount = (): readonly KeyState[] =>
    [...appKeys.values()].filter(({ owner }) => owner === serviceAccount);

  const account = "/api/v2/service_accounts/:account/application_keys";
  const server = await startVendorServer({
    refusal,
    routes: [
      {
        on: "GET /api/v2/api_keys",
        answer: withBoth("api_keys_read", (call) =>
          listOf([...apiKeys.values()], apiKeyRow, call, { max_allowed: mostApiKeys }),
        ),
      },
      { on: "POST /api/v2/api_keys", answer: withBoth("api_keys_write", createApiKey) },
      {
        on: "DELETE /api/v2/api_keys/:id",
        answer: withBoth("api_keys_delete", ({ params }) =>
          apiKeys.delete(params.id ?? "") ? { status: 204 } : fault(404, "API key not found"),
        ),
      },
      {
        on: `GET ${account}`,
        answer: ofServiceAccount((call) =>
          listOf(ownedByServiceAccount(), appKeyRow, call, { max_allowed_per_user: 1_000 }),
        ),
      },
      { on: `POST ${account}`, answer: ofServiceAccount(createAppKey) },
      {
        on: `DELETE ${account}/:id`,
        answer: ofServiceAccount(({ params }) =>
          appKeys.delete(params.id ?? "") ? { status: 204 } : fault(404, "Application key not found"),
        ),
      },
      { on: "GET /api/v1/validate", answer: withApiKey(() => ({ status: 200, body: { valid: true } })) },
      {
        on: "GET /api/v2/validate_keys",
        answer: withBoth(undefined, () => ({ status: 200, body: { status: "ok" } })),
      },
      { on: "POST /api/v2/series", answer: withApiKey(() => ({ status: 202, body: { errors: [] } })) },
    ],
  });

  return {
    ...server,
    admin,
    serviceAccountId,
    get apiKeyNames() {
      return [...apiKeys.values()].filter(({ id }) => id !== admin.apiKeyId).map(({ name }) => name);
    },
    get appKeyNames() {
      return ownedByServiceAccount().map(({ name }) => name);
    },
    makeKeys: (name) => addPair(name, serviceAccount),
    removeKeys: ({ apiKeyId, appKeyId }) => {
      apiKeys.delete(apiKeyId);
      appKeys.delete(appKeyId);
    },
    makePerson: (permissions) => addPair(randomUUID(), { permissions, disabled: false }),
    disableServiceAccount: () => {
      serviceAccount.disabled = true;
    },
    takes: ({ apiKey, appKey }) =>
      [...apiKeys.values()].some(({ key }) => key === apiKey) &&
      [...appKeys.values()].some(({ key, owner }) => key === appKey && !owner?.disabled),
  };
}

/** 32 hexadecimal digits. */
const apiKeyText = (): string => randomBytes(16).toString("hex");

/** `ddapp_` and 34 letters and digits. */
const appKeyText = (): string =>
  `ddapp_${Array.from({ length: 34 }, () => randomInt(36).toString(36)).join("")}`;

const apiKeyRow = ({ id, name, key, createdAt, lastUsedAt }: KeyState, shown?: string) => ({
  type: "api_keys",
  id,
  attributes: {
    name,
    last4: key.slice(-4),
    created_at: createdAt.toISOString(),
    date_last_used: lastUsedAt?.toISOString() ?? null,
    ...(shown === undefined ? {} : { key: shown }),
  },
});

const appKeyRow = ({ id, name, key, createdAt, lastUsedAt, scopes }: KeyState, shown?: string) => ({
  type: "application_keys",
  id,
  attributes: {
    name,
    last4: key.slice(-4),
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt?.toISOString() ?? null,
    scopes,
    ...(shown === undefined ? {} : { key: shown }),
  },
});

const MESSAGES: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  429: "Too many requests",
};

const refusal = (status: number): VendorReply => fault(status, MESSAGES[status] ?? "Internal Server Error");

const fault = (status: number, message: string): VendorReply => ({ status, body: { errors: [message] } });
