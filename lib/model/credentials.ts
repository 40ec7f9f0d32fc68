import { type Fault, fault, type PathStep } from "./faults";
import { isRecord } from "./is-record";

/** Beginnings by which credentials give themselves away. None has a place in a registry. */
const CREDENTIAL =
  /(\b[sr]k_(live|test)_[A-Za-z0-9]{8}|\bwhsec_[A-Za-z0-9]{8}|\bSG\.[\w-]{16}|\bA(KIA|SIA)[A-Z0-9]{16}\b|PRIVATE KEY-----|\bhv[sb]\.[\w-]{20}|\bgh[pousr]_[A-Za-z0-9]{20}|:\/\/[^/\s:@]+:[^/\s:@]+@)/;

/** `true` for text that holds what looks like a credential. */
export const looksLikeCredential = (text: string): boolean => CREDENTIAL.test(text);

/** Text that a fault shows in place of one. */
export const HIDDEN = "a text that looks like a credential (not shown)";

/** Finds credentials anywhere in data: registries and change requests are in git, and git is no place for them. */
export function credentialFaults(value: unknown, path: readonly PathStep[]): Fault[] {
  if (typeof value === "string") {
    return CREDENTIAL.test(value)
      ? [
          fault(
            path,
            HIDDEN,
            "no secret value: the registry describes secrets, it does not hold them",
            "remove it, and rotate that credential: it has been in a file",
          ),
        ]
      : [];
  }
  if (Array.isArray(value)) return value.flatMap((entry, index) => credentialFaults(entry, [...path, index]));
  if (isRecord(value))
    return Object.entries(value).flatMap(([name, entry]) => credentialFaults(entry, [...path, name]));
  return [];
}
