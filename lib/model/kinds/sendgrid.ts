import * as z from "zod/mini";
import { oneLine } from "../grammar";
import { apiUrl } from "./api-url";
import { type KindTraits, textField } from "./traits";

/** SendGrid API key: its row in the table of kinds. */
export const SENDGRID_TRAITS = {
  title: "SendGrid API key",
  stores: ["aws"],
  acceptedBy: ["target"],
  rotation: ["automatic", "operator-assisted"],
  fields: [textField("apiKey")],
  publicSettings: ["host", "account"],
} as const satisfies KindTraits;

/** Schema of the settings of a SendGrid API key. */
export const sendgridSettings = () =>
  z.strictObject({
    /** Name of the account or subuser: sandbox, staging, production. */
    account: oneLine,
    /**
     * User name of the subuser whose keys rotate, where the admin key is its parent account's. Default: the keys are those of
     * the admin key's own account.
     */
    subuser: z.optional(oneLine),
    /** EU subusers have their own host. Default: api.sendgrid.com. */
    host: z._default(z.enum(["api.sendgrid.com", "api.eu.sendgrid.com"]), "api.sendgrid.com"),
    /** Scopes of the key. Default: send mail. */
    scopes: z._default(z.array(oneLine).check(z.minLength(1)), ["mail.send"]),
    /** Default: `https://<host>`. */
    apiUrl: z.optional(apiUrl),
  });
