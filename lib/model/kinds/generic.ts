import * as z from "zod/mini";
import { generationRule, genericCheck } from "../generic-settings";
import { fieldName, oneLine } from "../grammar";
import { sortedDeep } from "./sorted-deep";
import type { KindTraits } from "./traits";

/** Generic secret: its row in the table of kinds. */
export const GENERIC_TRAITS = {
  title: "Generic secret",
  stores: ["aws"],
  // Not own-workloads: that takes next, current and previous in one value, which is what hmac-key is.
  acceptedBy: ["single-slot", "target"],
  rotation: ["automatic", "operator-assisted"],
  fields: [],
  publicSettings: [],
} as const satisfies KindTraits;

/** Schema of the settings of a Generic secret. */
export const genericSettings = () =>
  z.strictObject({
    /** Fields of the JSON value. Default: `value`. */
    fields: z._default(z.array(fieldName).check(z.minLength(1)), ["value"]),
    /**
     * Rules by which fields are made, by name. Rotation `automatic`: a field without a rule is 48 letters and digits.
     * Rotation `operator-assisted`: without rules a person supplies the value; with a rule for every field the
     * function makes it, and a person takes it to the target.
     */
    generate: z._default(z.pipe(z.record(z.string(), generationRule()), z.transform(sortedDeep)), {}),
    /**
     * Check of a value at its target. Only with rotation `operator-assisted`: a value that nobody has taken to
     * the target yet cannot pass.
     */
    check: z.optional(genericCheck()),
    /** Public configuration that belongs beside the value: host, port, user name. Never a secret. */
    config: z._default(
      z.pipe(z.record(fieldName, z.union([oneLine, z.number(), z.boolean()])), z.transform(sortedDeep)),
      {},
    ),
  });
