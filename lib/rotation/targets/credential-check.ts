import type { KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";

/** The value of `generic`: texts by field. */
export type GenericValue = Readonly<Record<string, string>>;

/** Public configuration beside a generic value. */
export type GenericConfig = KindSettings<"generic">["config"];

/** Tries values at a target, as the settings' check says. */
export interface CredentialCheck {
  /** The part of a value that opens the target, as one text to compare; never to show. */
  credentialOf(value: GenericValue): string;
  /** The thing at the target that has one credential at a time, as one text to compare: a login, or the credential itself. */
  slotOf(value: GenericValue): string;
  /**
   * Proves that the target takes a value.
   *
   * @throws RotationError `target-refused`, `target-open`, `target-misconfigured`, `target-unreachable`,
   * `target-not-trusted`, `target-without-tls`, `target-busy`, `right-missing`, `throttled`, `value-malformed`
   */
  prove(value: GenericValue): Promise<void>;
  /** `true` when the target takes a value: anything but a clear yes or no is thrown, as by `prove`. */
  accepts(value: GenericValue): Promise<boolean>;
}

/** Text that a check names: a field of the value, or else an entry of the public configuration. */
export function textNamed(name: string, value: GenericValue, config: GenericConfig = {}): string {
  const text = value[name] ?? config[name];
  if (typeof text !== "string") {
    throw new RotationError("settings-malformed", `the check names ${name}, which is no field`);
  }
  return text;
}
