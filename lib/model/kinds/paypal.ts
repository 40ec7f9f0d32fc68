import * as z from "zod/mini";
import { oneLine } from "../grammar";
import { apiUrl } from "./api-url";
import { type KindTraits, textField } from "./traits";

/** PayPal credentials: its row in the table of kinds. */
export const PAYPAL_TRAITS = {
  title: "PayPal credentials",
  stores: ["aws"],
  acceptedBy: ["target"],
  rotation: ["operator-assisted"],
  fields: [textField("clientId"), textField("clientSecret")],
  publicSettings: ["mode", "account"],
} as const satisfies KindTraits;

/** Schema of the settings of a PayPal credentials. */
export const paypalSettings = () =>
  z.strictObject({
    /** PayPal's two worlds. `live` in production only, `sandbox` elsewhere only. */
    mode: z.enum(["sandbox", "live"]),
    account: oneLine,
    /** Default: by mode, `https://api-m.paypal.com` or `https://api-m.sandbox.paypal.com`. */
    apiUrl: z.optional(apiUrl),
  });
