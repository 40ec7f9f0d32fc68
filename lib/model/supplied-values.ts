import { rulesMakeValue } from "./generic-settings";
import type { AnyKindSettings, RotationMode } from "./kinds";

/** Stands in an inbox where something supplied stood. */
export const USED_UP = '{"usedUp":true}';

/** The kinds whose values an operator may supply. */
export type SuppliedSecret = Extract<
  AnyKindSettings,
  { readonly kind: "stripe" | "paypal" | "sendgrid" | "datadog" | "generic" }
>;

/**
 * `true` where operators supply the value of a secret. Where rules make a generic one, an operator takes the made value to
 * the target instead.
 */
export const isSupplied = <S extends AnyKindSettings & { readonly rotation: RotationMode }>(
  secret: S,
): secret is S & SuppliedSecret =>
  secret.rotation === "operator-assisted" && !(secret.kind === "generic" && rulesMakeValue(secret.settings));

/** The kinds whose first value an operator may supply, whoever makes the ones after it. */
export type AdoptingSecret = Extract<AnyKindSettings, { readonly kind: "jwt-signing-key" }>;

/** `true` where an operator supplies the first value, which goes on to be used, and rotation makes the ones after it. */
export const adoptsValue = <S extends AnyKindSettings>(secret: S): secret is S & AdoptingSecret =>
  secret.kind === "jwt-signing-key" && secret.settings.firstKey === "supplied";

/** A secret of which an operator supplies values, or the first one. */
export type InboxSecret = SuppliedSecret | AdoptingSecret;

/** `true` where people supply something, so that there is an inbox into which they put it. */
export const hasInbox = <S extends AnyKindSettings & { readonly rotation: RotationMode }>(
  secret: S,
): secret is S & InboxSecret => isSupplied(secret) || adoptsValue(secret);
