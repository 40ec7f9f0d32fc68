import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import type { Clock, Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget, SecretIdentity } from "../protocol/target";
import { type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";
import { eventually } from "./eventually";
import { lastUse } from "./last-use";
import { keepOnly, makeKey, requireNoOtherMark, type VendorKeys } from "./vendor-keys";

/** The value of `datadog`. */
export type DatadogValue = KindValue<"datadog">;

/**
 * The value of the admin secret: an API key, and an application key of somebody with the permissions `api_keys_read`,
 * `api_keys_write`, `api_keys_delete` and `service_account_write`.
 */
export const datadogAdminSchema = z.object({
  apiKey: z.string().check(z.minLength(1)),
  appKey: z.string().check(z.minLength(1)),
});

/** Keys that make keys. */
export type DatadogAdmin = z.output<typeof datadogAdminSchema>;

/** Datadog, as far as rotation uses it. */
export interface Datadog {
  /** The organisation's API keys. */
  readonly apiKeys: VendorKeys;
  /** The service account's application keys. */
  readonly appKeys: VendorKeys;
  takesApiKey(apiKey: string): Promise<boolean>;
  /** `true` where Datadog takes both together, as it has to for reading. */
  takesBoth(apiKey: string, appKey: string): Promise<boolean>;
}

/** Settings and ports of the target for Datadog keys. */
export interface DatadogTargetProps {
  readonly settings: Pick<KindSettings<"datadog">, "org" | "serviceAccountId">;
  readonly admin: () => Promise<DatadogAdmin>;
  readonly datadog: Datadog;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * An API key of the organisation and an application key of a service account: a person's application keys die with the
 * person's account. Datadog makes both and shows an application key once, so they work from their creation, and they are
 * stored before anybody else learns of them. An organisation has 50 API keys unless Datadog allows more: what attempts
 * leave behind is removed, and so is the pair that is two rotations old.
 * https://docs.datadoghq.com/account_management/api-app-keys/
 */
export function datadogTarget({
  settings: { org, serviceAccountId },
  admin,
  datadog,
  clock,
  random,
}: DatadogTargetProps): AcceptingTarget<DatadogValue> {
  const { apiKeys, appKeys } = datadog;

  /**
   * Makes sure that a key may die: it is the one that its id names, and nobody uses it.
   *
   * @returns when it was used last; `undefined`: Datadog does not say
   */
  const checkEnd = async (
    { keys, what, id, key }: RetiredKey,
    secret: SecretIdentity,
    usedUntil: Date | undefined,
  ): Promise<Date | undefined> => {
    const listed = (await keys.list()).find((candidate) => candidate.id === id);
    if (listed === undefined) return undefined;
    requireNoOtherMark(listed, secret, `the ${what} ${id}`);
    if (!key.endsWith(listed.lastCharacters ?? "")) {
      throw new RotationError("user-mismatch", `${id} is not the id of the retired ${what}`);
    }
    const { lastUsedAt } = listed;
    if (usedUntil !== undefined && lastUsedAt !== undefined && lastUsedAt > usedUntil) {
      throw new RotationError(
        "still-presented",
        `the retired ${what} ${id} was used at ${lastUsedAt.toISOString()}`,
      );
    }
    return lastUsedAt;
  };

  /** Removes a key and proves that it is dead. */
  const end = async ({ keys, what, id, taken }: RetiredKey): Promise<void> => {
    const removed = await keys.remove(id);
    if (!(await eventually(taken, (answer) => !answer, clock))) return;
    // An earlier call may have removed it a moment ago, so that time alone distinguishes it from a foreign key.
    throw new RotationError(
      "target-busy",
      removed
        ? `Datadog still takes the ${what} ${id} that ${org} has removed`
        : `Datadog takes the retired ${what}, and ${org} has no ${id}: if it stays, the id is wrong`,
    );
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS.datadog,

    async generate(predecessor, attempt, staged) {
      if (staged !== undefined) return staged;
      const shared = { attempt, clock, random };
      const app = await makeKey({ keys: appKeys, inUse: predecessor?.appKeyId, ...shared });
      try {
        const api = await makeKey({ keys: apiKeys, inUse: predecessor?.apiKeyId, ...shared });
        return { apiKey: api.key, apiKeyId: api.id, appKey: app.key, appKeyId: app.id };
      } catch (failure) {
        // A fault that stays would otherwise leave a key at every try. What fails here is removed with the next key.
        await appKeys.remove(app.id).catch(() => undefined);
        throw failure;
      }
    },

    async discard({ apiKeyId, appKeyId }) {
      await appKeys.remove(appKeyId);
      await apiKeys.remove(apiKeyId);
    },

    async abandon(attempt) {
      await keepOnly(apiKeys, attempt, undefined);
      await keepOnly(appKeys, attempt, undefined);
    },

    checkSuccession(pending, predecessor) {
      if (pending.apiKeyId === predecessor?.apiKeyId || pending.appKeyId === predecessor?.appKeyId) {
        throw new RotationError("stale-version", "the version repeats a key of the current one");
      }
    },

    // Datadog accepts both keys since it made them; what is left to do is to end their twins.
    async install({ apiKeyId, appKeyId }, _predecessor, attempt) {
      await keepOnly(apiKeys, attempt, apiKeyId);
      await keepOnly(appKeys, attempt, appKeyId);
    },

    async test({ apiKey, appKey }) {
      const taken = (answer: boolean): boolean => answer;
      if (!(await eventually(() => datadog.takesApiKey(apiKey), taken, clock))) {
        throw new RotationError("target-refused", `Datadog does not take the API key of ${org}`);
      }
      if (!(await eventually(() => datadog.takesBoth(apiKey, appKey), taken, clock))) {
        throw new RotationError(
          "target-refused",
          `Datadog does not take the application key of ${org}, service account ${serviceAccountId}`,
        );
      }
    },

    async retire({ secret, retired, kept, refreshedBy, emergency }) {
      const { apiKey, appKey } = await admin();
      if (retired.apiKey === apiKey || retired.appKey === appKey) {
        throw new RotationError("user-mismatch", "a retired key is the admin's, which is still needed");
      }
      const app: RetiredKey = {
        keys: appKeys,
        what: "application key",
        id: retired.appKeyId,
        key: retired.appKey,
        taken: () => datadog.takesBoth(apiKey, retired.appKey),
      };
      const api: RetiredKey = {
        keys: apiKeys,
        what: "API key",
        id: retired.apiKeyId,
        key: retired.apiKey,
        taken: () => datadog.takesApiKey(retired.apiKey),
      };
      const ending = [
        ...(kept.some(({ appKeyId }) => appKeyId === app.id) ? [] : [app]),
        ...(kept.some(({ apiKeyId }) => apiKeyId === api.id) ? [] : [api]),
      ];
      // All are looked at before any of them ends: whoever still uses one of a pair needs both.
      const usedUntil = emergency ? undefined : refreshedBy;
      const uses: (Date | undefined)[] = [];
      for (const key of ending) uses.push(await checkEnd(key, secret, usedUntil));
      for (const key of ending) await end(key);
      return ending.length === 0 ? undefined : lastUse(uses, usedUntil);
    },
  };
}

/** One half of a retired value. */
interface RetiredKey {
  readonly keys: VendorKeys;
  readonly what: string;
  readonly id: string;
  readonly key: string;
  readonly taken: () => Promise<boolean>;
}
