import * as z from "zod/mini";
import { minutes } from "../duration";
import { duration } from "../grammar";
import { type KindTraits, objectField } from "./traits";

/** HMAC key: its row in the table of kinds. */
export const HMAC_KEY_TRAITS = {
  title: "HMAC key",
  stores: ["aws"],
  acceptedBy: ["own-workloads"],
  rotation: ["automatic", "manual-dual-publish"],
  fields: [objectField("next"), objectField("current"), objectField("previous")],
  // Not the algorithm, which is each key's own.
  publicSettings: [],
} as const satisfies KindTraits;

/** Schema of the settings of a HMAC key. */
export const hmacKeySettings = () =>
  z.strictObject({
    /** Algorithm of the next key. Another one comes with the next rotation: each key carries its own. */
    algorithm: z._default(z.enum(["sha256", "sha512"]), "sha256"),
    /** Length of the next key in bytes. Default: 32. */
    bytes: z._default(z.int().check(z.gte(32), z.lte(128)), 32),
    /** Greatest age of a signature that still verifies. Default: 5 minutes. */
    tolerance: z._default(duration, minutes(5)),
  });
