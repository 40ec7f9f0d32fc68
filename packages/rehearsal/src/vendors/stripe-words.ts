import { randomBytes } from "node:crypto";
import type { VendorReply } from "./vendor-server";

/** https://docs.stripe.com/api/errors */
export const stripeError = (
  status: number,
  message: string,
  code?: string,
  type = status >= 500 ? "api_error" : "invalid_request_error",
): VendorReply => ({
  status,
  body: {
    error: {
      ...(code === undefined
        ? {}
        : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll("_", "-")}` }),
      message,
      type,
    },
  },
});

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Letters and digits of an id or a secret. */
export const stripeWord = (length: number): string =>
  Array.from(randomBytes(length), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
