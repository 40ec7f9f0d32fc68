import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import type { Clock, Random } from "../ports";
import { RotationError } from "../rotation-error";
import type { AcceptingTarget } from "../target";
import { type KindValue, VALUE_SCHEMAS } from "../value-schemas";
import { eventually } from "./eventually";
import { keepOnly, makeKey, type VendorKeys } from "./vendor-keys";

/** The value of `sendgrid`. */
export type SendGridValue = KindValue<"sendgrid">;

/**
 * The value of the admin secret: a key with the scopes `api_keys.read`, `api_keys.create`, `api_keys.delete`, and every
 * scope that it is to give.
 */
export const sendGridAdminSchema = z.object({ apiKey: z.string().check(z.minLength(1)) });

/** A key that makes keys. */
export type SendGridAdmin = z.output<typeof sendGridAdminSchema>;

/** SendGrid, as far as rotation uses it. */
export interface SendGrid {
  /** The account's API keys, by the admin key. */
  readonly keys: VendorKeys;
  /** What a key may do, as it says itself; `undefined` when SendGrid does not take the key (yet, or any more). */
  scopesOf(apiKey: string): Promise<readonly string[] | undefined>;
}

/** What the target for SendGrid keys needs. */
export interface SendGridTargetProps {
  readonly settings: Pick<KindSettings<"sendgrid">, "account" | "scopes">;
  readonly admin: () => Promise<SendGridAdmin>;
  readonly sendGrid: SendGrid;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * SendGrid makes the key and shows it once, so it works from its creation, and it is stored before anybody else learns
 * of it. An account has 100 keys at most: what attempts leave behind is removed.
 * https://www.twilio.com/docs/sendgrid/api-reference/api-keys/create-api-keys
 */
export function sendGridTarget({
  settings: { account, scopes },
  admin,
  sendGrid,
  clock,
  random,
}: SendGridTargetProps): AcceptingTarget<SendGridValue> {
  const { keys } = sendGrid;

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS.sendgrid,

    async generate(predecessor, attempt) {
      const inUse = predecessor && sendGridKeyId(predecessor.apiKey);
      const { id, key } = await makeKey({ keys, attempt, inUse, clock, random });
      if (sendGridKeyId(key) !== id) {
        // What cannot be found again by its value could never be decommissioned.
        await keys.remove(id);
        throw new RotationError("unexpected", "SendGrid made a key that does not hold its own id");
      }
      return { apiKey: key };
    },

    async discard({ apiKey }) {
      const id = sendGridKeyId(apiKey);
      if (id !== undefined) await keys.remove(id);
    },

    checkSuccession(pending, predecessor) {
      if (pending.apiKey === predecessor?.apiKey) {
        throw new RotationError("stale-version", "the version repeats the current API key");
      }
    },

    // The account accepts the key since SendGrid made it; what is left to do is to end its twins.
    async install({ apiKey }, _predecessor, attempt) {
      const id = sendGridKeyId(apiKey);
      if (id !== undefined) await keepOnly(keys, attempt, id);
    },

    async test({ apiKey }) {
      const granted = await eventually(
        () => sendGrid.scopesOf(apiKey),
        (answer) => answer !== undefined,
        clock,
      );
      if (granted === undefined) {
        throw new RotationError("target-refused", `SendGrid does not take the key of account ${account}`);
      }
      const missing = scopes.filter((scope) => !granted.includes(scope));
      if (missing.length > 0) {
        throw new RotationError("right-missing", `the key lacks the scopes ${missing.join(", ")}`);
      }
    },

    async retire({ retired: { apiKey }, kept }) {
      const id = sendGridKeyId(apiKey);
      if (kept.some((value) => value.apiKey === apiKey)) return;
      if ((await admin()).apiKey === apiKey) {
        throw new RotationError("user-mismatch", "the retired key is the admin key, which is still needed");
      }
      const removed = id !== undefined && (await keys.remove(id));
      const left = await eventually(
        () => sendGrid.scopesOf(apiKey),
        (answer) => answer === undefined,
        clock,
      );
      if (left === undefined) return;
      // An earlier call may have removed it a moment ago, so this is not told from a foreign key but by time.
      throw new RotationError(
        "target-busy",
        removed
          ? `SendGrid still takes the key that account ${account} has removed`
          : `SendGrid takes the retired key, which account ${account} does not have: if it stays, another one has it`,
      );
    },
  };
}

/**
 * The id of a key: the middle of its three parts. 69 characters are `SG.`, 22, a dot and 43.
 * https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys
 */
export function sendGridKeyId(apiKey: string): string | undefined {
  return /^SG\.([\w-]+)\.[\w-]+$/.exec(apiKey)?.[1];
}
