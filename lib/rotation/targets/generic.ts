import type { KindSettings } from "../../model/kinds";
import type { Random } from "../ports";
import { randomText } from "../random-text";
import type { SingleSlotTarget } from "../target";
import { genericValueSchema } from "../value-schemas";

const LENGTH = 48;

/** What the generic target needs. */
export interface GenericTargetProps {
  readonly settings: KindSettings<"generic">;
  readonly random: Random;
}

/**
 * A random text for each field. No system is known that would have to be told, so consumers of old and new
 * value disagree until all have reloaded: at most the refresh interval and the reload margin.
 */
export function genericTarget({
  settings,
  random,
}: GenericTargetProps): SingleSlotTarget<Record<string, string>> {
  const schema = genericValueSchema(settings.fields);
  return {
    acceptedBy: "single-slot",
    schema,
    generate: async () =>
      Object.fromEntries(settings.fields.map((field) => [field, randomText(random, LENGTH)])),
    checkSuccession: () => undefined,
    install: async () => undefined,
    // The machine has read it by its schema: every field is there and none is empty.
    test: async () => undefined,
  };
}
