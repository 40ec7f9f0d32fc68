import * as z from "zod/mini";
import { oneLine } from "../grammar";
import { apiUrl } from "./api-url";
import { type KindTraits, textField } from "./traits";

/** Datadog API and application keys: its row in the table of kinds. */
export const DATADOG_TRAITS = {
  title: "Datadog API and application keys",
  stores: ["aws"],
  acceptedBy: ["target"],
  rotation: ["automatic", "operator-assisted"],
  fields: [textField("apiKey"), textField("apiKeyId"), textField("appKey"), textField("appKeyId")],
  publicSettings: ["site", "org"],
} as const satisfies KindTraits;

/** Schema of the settings of a Datadog API and application keys. */
export const datadogSettings = () =>
  z.strictObject({
    /** The organisation: dev, stage, prod. */
    org: oneLine,
    /** https://docs.datadoghq.com/getting_started/site/ */
    site: z._default(
      z.enum([
        "datadoghq.com",
        "datadoghq.eu",
        "us3.datadoghq.com",
        "us5.datadoghq.com",
        "ap1.datadoghq.com",
        "ap2.datadoghq.com",
        "uk1.datadoghq.com",
        "ddog-gov.com",
        "us2.ddog-gov.com",
      ]),
      "datadoghq.eu",
    ),
    /** Service account that owns the application keys: a disabled person's keys die with the person. */
    serviceAccountId: oneLine,
    /** Scopes of the application key. Default: everything that its service account may. */
    appKeyScopes: z.optional(z.array(oneLine).check(z.minLength(1))),
    /** Default: `https://api.<site>`. */
    apiUrl: z.optional(apiUrl),
  });
