import { createHmac, timingSafeEqual } from "node:crypto";
import type { KindSettings, RotationMode } from "../../model/kinds";
import {
  advance,
  checkGenerations,
  firstGenerations,
  type Generations,
  promote,
  publish,
  retire,
} from "../generations";
import type { Random } from "../ports";
import { RotationError } from "../rotation-error";
import type { PublishedTarget } from "../target";
import { type HmacKey, type KindValue, VALUE_SCHEMAS } from "../value-schemas";

/** The value of `hmac-key`. */
export type HmacValue = KindValue<"hmac-key">;

type HmacAlgorithm = KindSettings<"hmac-key">["algorithm"];

const idOf = (key: HmacKey): string => key.id;
const unchanged = (key: HmacKey): HmacKey => key;

/** What the hmac-key target needs. */
export interface HmacTargetProps {
  readonly settings: KindSettings<"hmac-key">;
  readonly mode: RotationMode;
  readonly random: Random;
}

/** HMAC keys of webhooks: ours on both ends, so the value is all there is. */
export function hmacKeyTarget({ settings, mode, random }: HmacTargetProps): PublishedTarget<HmacValue> {
  const fresh = (): HmacKey => ({
    id: random.bytes(8).toString("hex"),
    key: random.bytes(settings.bytes).toString("base64url"),
  });
  const automatic = mode === "automatic";

  return {
    acceptedBy: "own-workloads",
    schema: VALUE_SCHEMAS["hmac-key"],

    async generate(predecessor) {
      if (predecessor === undefined) return firstGenerations(fresh(), automatic ? fresh() : null);
      return automatic ? advance(predecessor, fresh(), unchanged) : publish(predecessor, fresh());
    },

    checkSuccession(pending, predecessor) {
      checkGenerations(pending, predecessor, idOf);
    },

    async test(value) {
      const message = random.bytes(32);
      const { signature } = signHmac(value, settings.algorithm, message);
      const shortest = Math.min(
        ...acceptedHmacKeys(value).map(({ key }) => Buffer.from(key, "base64url").length),
      );
      if (shortest < settings.bytes || !verifyHmac(value, settings.algorithm, message, signature)) {
        throw new RotationError(
          "target-refused",
          `a key is shorter than ${settings.bytes} bytes, or a signature by the current key does not verify`,
        );
      }
    },

    promoted(current) {
      const promoted = promote(current, unchanged);
      if (promoted === undefined) {
        throw new RotationError("nothing-published", "the current version has no next key");
      }
      return promoted;
    },

    withoutRetired(current, retired) {
      return current.previous?.id === retired.current.id ? retire(current) : undefined;
    },
  };
}

/** The keys by which a signature may have been made. */
export const acceptedHmacKeys = ({ next, current, previous }: Generations<HmacKey>): readonly HmacKey[] =>
  [current, next, previous].filter((key) => key !== null);

/** Signs as a workload does: with the current key. */
export function signHmac(
  value: Pick<HmacValue, "current">,
  algorithm: HmacAlgorithm,
  message: Uint8Array,
): { readonly id: string; readonly signature: Buffer } {
  return { id: value.current.id, signature: hmac(value.current, algorithm, message) };
}

/** Verifies as a workload does: with every key that it holds. */
export function verifyHmac(
  value: HmacValue,
  algorithm: HmacAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return acceptedHmacKeys(value).some((key) => {
    const expected = hmac(key, algorithm, message);
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  });
}

const hmac = (key: HmacKey, algorithm: HmacAlgorithm, message: Uint8Array): Buffer =>
  createHmac(algorithm, Buffer.from(key.key, "base64url")).update(message).digest();
