import { createHmac, timingSafeEqual } from "node:crypto";
import type { KindSettings, RotationMode } from "../../model/kinds";
import type { Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { PublishedTarget } from "../protocol/target";
import {
  advance,
  checkDistinct,
  checkGenerations,
  checkReplaced,
  dropsUsed,
  firstGenerations,
  keysOf,
  promote,
  publish,
  retire,
} from "../values/generations";
import { type HmacKey, type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";

/** The value of `hmac-key`. */
export type HmacValue = KindValue<"hmac-key">;

const idOf = (key: HmacKey): string => key.id;
const unchanged = (key: HmacKey): HmacKey => key;

/** Ports and settings of the hmac-key target. */
export interface HmacTargetProps {
  readonly settings: KindSettings<"hmac-key">;
  readonly mode: RotationMode;
  readonly random: Random;
}

/**
 * HMAC keys of webhooks: ours on both ends, so the value is all there is. Each key carries the algorithm for which it
 * was made; another `algorithm` or `bytes` in the settings comes with the next key and changes no key that is in use.
 */
export function hmacKeyTarget({ settings, mode, random }: HmacTargetProps): PublishedTarget<HmacValue> {
  const fresh = (): HmacKey => ({
    id: random.bytes(8).toString("hex"),
    key: random.bytes(settings.bytes).toString("base64url"),
    algorithm: settings.algorithm,
  });
  const automatic = mode === "automatic";
  const first = (): HmacValue => firstGenerations(fresh(), automatic ? fresh() : null);

  return {
    acceptedBy: "own-workloads",
    schema: VALUE_SCHEMAS["hmac-key"],

    async generate(predecessor) {
      if (predecessor === undefined) return first();
      return automatic ? advance(predecessor, fresh(), unchanged) : publish(predecessor, fresh());
    },

    checkSuccession(pending, predecessor, emergency = false) {
      if (emergency && predecessor !== undefined) checkReplaced(pending, predecessor, idOf);
      else checkGenerations(pending, predecessor, idOf);
    },

    async test(value) {
      checkDistinct(value, idOf);
      if (keysOf(value).some((key) => lengthOf(key) < SHORTEST)) {
        throw new RotationError("target-refused", `a key is shorter than ${SHORTEST} bytes`);
      }
      const message = random.bytes(32);
      for (const key of keysOf(value)) {
        const { signature } = signHmac({ current: key }, message);
        if (verifyHmac(value, message, signature)) continue;
        throw new RotationError("target-refused", `a signature by key ${key.id} does not verify`);
      }
    },

    promoted(current) {
      const promoted = promote(current, unchanged);
      if (promoted === undefined) {
        throw new RotationError("nothing-published", "the current version has no next key");
      }
      return promoted;
    },

    dropsUsed: (current, before) => dropsUsed(current, before, (a, b) => a.id === b.id),

    withoutRetired(current, retired) {
      return current.previous?.id === retired.current.id ? retire(current) : undefined;
    },

    withoutPrevious: (current) => (current.previous === null ? undefined : retire(current)),

    async replaced() {
      return first();
    },
  };
}

/** No key that we make is shorter, whatever `bytes` says; RFC 2104 advises against less than the digest's length. */
const SHORTEST = 32;

const lengthOf = ({ key }: HmacKey): number => Buffer.from(key, "base64url").length;

/** Signs as a workload does: with the current key, by the key's own algorithm. */
export function signHmac(
  { current }: Pick<HmacValue, "current">,
  message: Uint8Array,
): { readonly id: string; readonly signature: Buffer } {
  return { id: current.id, signature: hmac(current, message) };
}

/** Verifies as a workload does: with every key that it holds, each by its own algorithm. */
export function verifyHmac(value: HmacValue, message: Uint8Array, signature: Uint8Array): boolean {
  return keysOf(value).some((key) => {
    const expected = hmac(key, message);
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  });
}

const hmac = ({ key, algorithm }: HmacKey, message: Uint8Array): Buffer =>
  createHmac(algorithm, Buffer.from(key, "base64url")).update(message).digest();
