import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import type { Clock, Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget } from "../protocol/target";
import { type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";
import { eventually } from "./eventually";
import { keepOnly, makeKey, requireNoOtherMark, type VendorKeys } from "./vendor-keys";

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
  /**
   * Scopes of a key, as it says itself; `untold`: SendGrid takes it and does not let it ask; `undefined`: SendGrid does not
   * take it (yet, or any more).
   */
  scopesOf(apiKey: string): Promise<readonly string[] | "untold" | undefined>;
  /**
   * Scopes of a key, as the admin key sees them; `undefined`: the account has no such key; `untold`: there is no admin key to
   * ask with.
   */
  shownScopes(id: string): Promise<readonly string[] | "untold" | undefined>;
  /** Hands SendGrid a message by the key that is never delivered; `false`: the key may not send. */
  maySend(apiKey: string): Promise<boolean>;
}

const SEND_MAIL = "mail.send";

/** Settings and ports of the target for SendGrid keys. */
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

  /** The admin's word; without an admin only mail can be tried, so that more than that is not taken on trust. */
  const seen = async (id: string): Promise<readonly string[]> => {
    const shown = (await sendGrid.shownScopes(id)) ?? [];
    if (shown !== "untold") return shown;
    const unseen = scopes.filter((scope) => scope !== SEND_MAIL);
    if (unseen.length === 0) return [SEND_MAIL];
    throw new RotationError(
      "right-missing",
      `SendGrid does not let the key say its scopes, so nobody can tell whether it has ${unseen.join(", ")}: leave them out of ` +
        "scopes, or name an admin secret whose key has api_keys.read",
      "HTTP-403",
    );
  };

  /** Scopes of a key that may not ask for them: the admin's word, and where it sends mail, SendGrid's own answer to mail. */
  const untold = async (apiKey: string): Promise<readonly string[]> => {
    const held = await seen(sendGridKeyId(apiKey) ?? "");
    if (!held.includes(SEND_MAIL) || (await sendGrid.maySend(apiKey))) return held;
    return held.filter((scope) => scope !== SEND_MAIL);
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS.sendgrid,

    async generate(predecessor, attempt, staged) {
      if (staged !== undefined) return staged;
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

    async abandon(attempt) {
      await keepOnly(keys, attempt, undefined);
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
      const held = granted === "untold" ? await untold(apiKey) : granted;
      const missing = scopes.filter((scope) => !held.includes(scope));
      if (missing.length > 0) {
        throw new RotationError("right-missing", `the key lacks the scopes ${missing.join(", ")}`);
      }
    },

    async retire({ secret, retired: { apiKey }, kept }) {
      const id = sendGridKeyId(apiKey);
      if (kept.some((value) => value.apiKey === apiKey)) return;
      if ((await admin()).apiKey === apiKey) {
        throw new RotationError("user-mismatch", "the retired key is the admin key, which is still needed");
      }
      const listed = (await keys.list()).find((key) => key.id === id);
      requireNoOtherMark(listed, secret, `the key of account ${account}`);
      const removed = id !== undefined && (await keys.remove(id));
      const left = await eventually(
        () => sendGrid.scopesOf(apiKey),
        (answer) => answer === undefined,
        clock,
      );
      if (left === undefined) return;
      // An earlier call may have removed it a moment ago, so that time alone distinguishes it from a foreign key.
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
