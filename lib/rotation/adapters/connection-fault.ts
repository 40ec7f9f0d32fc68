import { originOf } from "../../lambda/failure-origin";
import { RotationError } from "../protocol/rotation-error";

/** Node's codes of connections that did not come about or broke. */
const UNREACHABLE = /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE)$/;
/** OpenSSL's and Node's codes of certificates that are not good for the host. */
const NOT_TRUSTED =
  /^(ERR_TLS_CERT_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|HOSTNAME_MISMATCH)$/;
const TLS_BROKEN = /^(ERR_SSL_\w+|EPROTO)$/;
/** Texts that drivers give failures without a code. */
const TIMEOUT =
  /^(timeout expired|Connection terminated\b.*|Connection timeout|Socket closed unexpectedly|Query read timeout)$/;

/** A failed connection as a rotation error; `undefined` when it is something else. */
export function connectionFault(failure: unknown, where: string): RotationError | undefined {
  const origin = originOf(failure);
  if (UNREACHABLE.test(origin)) return new RotationError("target-unreachable", where, origin);
  if (NOT_TRUSTED.test(origin)) return new RotationError("target-not-trusted", where, origin);
  if (TLS_BROKEN.test(origin)) return new RotationError("target-without-tls", where, origin);
  if (failure instanceof Error && TIMEOUT.test(failure.message)) {
    return new RotationError("target-unreachable", where, "timeout");
  }
  return undefined;
}
