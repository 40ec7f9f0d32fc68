import { rulesMakeValue } from "./generic-settings";
import type { AnyKindSettings, RotationMode } from "./kinds";

/** Stands in an inbox where something supplied stood. */
export const USED_UP = '{"usedUp":true}';

/** The kinds whose value an operator may supply. */
export type SuppliedSecret = Extract<
  AnyKindSettings,
  { readonly kind: "stripe" | "paypal" | "sendgrid" | "datadog" | "generic" }
>;

/**
 * Whether operators supply the value of a secret. Where rules make a generic one, an operator takes the made value to
 * the target instead.
 */
export const isSupplied = <S extends AnyKindSettings & { readonly rotation: RotationMode }>(
  secret: S,
): secret is S & SuppliedSecret =>
  secret.rotation === "operator-assisted" && !(secret.kind === "generic" && rulesMakeValue(secret.settings));
