import * as z from "zod/mini";
import { oneLine } from "../grammar";
import { webUrl } from "../server-grammar";
import { apiUrl } from "./api-url";
import { type KindTraits, objectField, textField } from "./traits";

/** Stripe API keys and webhook secret: its row in the table of kinds. */
export const STRIPE_TRAITS = {
  title: "Stripe API keys and webhook secret",
  stores: ["aws"],
  acceptedBy: ["target"],
  // Automatic by the key of an app that is installed in the account: Stripe lets no other key make keys.
  rotation: ["operator-assisted", "automatic"],
  fields: [textField("secretKey"), textField("publishableKey"), objectField("webhookSecrets")],
  publicSettings: ["mode", "account", "accountId"],
} as const satisfies KindTraits;

/** Schema of the settings of a Stripe API keys and webhook secret. */
export const stripeSettings = () =>
  z.strictObject({
    /** Stripe's world that the keys open. `live` in production only, `test` elsewhere only. */
    mode: z.enum(["test", "live"]),
    /** Name of the account among people: sandbox, stage, live. */
    account: oneLine,
    /**
     * The account (`acct_…`) that a key must belong to. Restricted keys cannot show theirs. Needed for rotation
     * `automatic`, and for an organisation's key, with which consumers send it as `Stripe-Context`. Default: any.
     */
    accountId: z.optional(
      z.string().check(
        z.refine((id) => /^acct_[A-Za-z0-9]+$/.test(id), {
          params: {
            allowed: "a Stripe account id such as acct_1Nv0FGQ9RKHgCVdK",
            change: "copy it from Stripe",
          },
          message: "account id",
        }),
      ),
    ),
    /**
     * URL of our webhook receiver: its endpoints at Stripe are made and changed by the rotation. Default: none, and an
     * operator supplies the signing secret of an endpoint that was made by hand.
     */
    webhookUrl: z.optional(webUrl),
    /** Events that the endpoint gets. Default: all. */
    webhookEvents: z._default(z.array(oneLine).check(z.minLength(1)), ["*"]),
    /**
     * `true`: events of connected accounts, `false`: the account's own. Stripe cannot change it at an endpoint.
     * Default: as the endpoint before; `false` for the first.
     */
    webhookConnect: z.optional(z.boolean()),
    /**
     * Permissions of a key that rotation makes (`rotation: "automatic"`), in Stripe's words for permissions of restricted
     * keys. Rotation itself needs `balance_read`, and with `webhookUrl` `webhook_read` and `webhook_write`.
     */
    keyPermissions: z.optional(
      z
        .array(
          z.string().check(
            z.refine((name) => /^[a-z0-9_]+_(read|write)$/.test(name), {
              params: {
                allowed: "a permission of restricted keys such as charge_write",
                change: "use the names of https://docs.stripe.com/stripe-apps/reference/permissions",
              },
              message: "permission",
            }),
          ),
        )
        .check(z.minLength(1)),
    ),
    /** The account's publishable key, which is no secret. Needed for rotation `automatic`. */
    publishableKey: z.optional(
      z.string().check(
        z.refine((key) => /^pk_(test|live)_[A-Za-z0-9_]+$/.test(key), {
          params: { allowed: "a publishable key: pk_test_… or pk_live_…", change: "copy it from Stripe" },
          message: "publishable key",
        }),
      ),
    ),
    apiUrl: z._default(apiUrl, "https://api.stripe.com"),
  });
