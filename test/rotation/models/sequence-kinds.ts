import { generateKeyPairSync } from "node:crypto";
import type { KindSettings } from "../../../lib/model/kinds";
import { settingsSchema } from "../../../lib/model/kinds";
import { genericTarget } from "../../../lib/rotation/targets/generic";
import { type HmacValue, hmacKeyTarget } from "../../../lib/rotation/targets/hmac-key";
import { type JwtValue, jwtSigningKeyTarget } from "../../../lib/rotation/targets/jwt-signing-key";
import { type AccessKeyValue, s3AccessKeyTarget } from "../../../lib/rotation/targets/s3-access-key";
import { keysOf } from "../../../lib/rotation/values/generations";
import { completeValue } from "../../../lib/rotation/values/operator-value";
import { AccessKeysModel } from "./access-keys-model";
import { reachable } from "./gated-ports";
import { elastiCache, elastiCacheUser, memoryDbUser, redisAcl } from "./redis-sequence-kinds";
import { testRandom } from "./rehearsed-secret";
import type { SequenceKind, SequenceVendor } from "./sequence-kind";
import { stripeKeys, stripeWithWebhook } from "./stripe-sequence-kinds";
import { datadog, payPal, sendGrid, twins } from "./vendor-sequence-kinds";

const HOUR = 3_600;
/** Refresh interval and reload margin. */
const OVERLAP = 7 * HOUR;

const parsed = <K extends Parameters<typeof settingsSchema>[0]>(kind: K, settings: object): KindSettings<K> =>
  settingsSchema(kind).parse(settings) as KindSettings<K>;

const madeText = (): string => testRandom.bytes(24).toString("hex");

/** People make and end keys at a vendor that knows any number of them; the check asks it. */
const genericByPeople: SequenceKind<Readonly<Record<string, string>>> = {
  name: "generic, by people",
  kind: "generic",
  mode: "operator-assisted",
  publishes: false,
  acceptedBy: "target",
  overlapSeconds: OVERLAP,
  publishLeadSeconds: 0,
  begin: () => {
    const accepted = new Set<string>();
    const settings = parsed("generic", {
      fields: ["token"],
      check: {
        how: "http",
        url: "https://vendor.example/v1/me",
        auth: { scheme: "bearer", tokenField: "token" },
        expect: { status: 200, refusedStatus: 401 },
      },
    });
    const tokenOf = (headers: Readonly<Record<string, string>>) =>
      Object.values(headers)
        .join(" ")
        .replace(/^Bearer /, "");
    const http = {
      send: async ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => ({
        status: accepted.has(tokenOf(headers)) ? 200 : 401,
        body: "",
      }),
    };
    const tokenIn = (value: Readonly<Record<string, string>>): string => value.token ?? "";
    return {
      settings: () => settings,
      targetOf: (made, plan, away) =>
        genericTarget({
          settings: made,
          rotation: "operator-assisted",
          acceptedBy: "target",
          random: testRandom,
          servers: {
            http: plan.wrap(reachable(http, away)),
            sql: {
              open: async () => {
                throw new Error("no SQL");
              },
            },
          } as never,
        }) as never,
      presents: async (value) => accepted.has(tokenIn(value)),
      live: () => [...accepted],
      opens: (value) => [tokenIn(value)],
      supply: () => {
        const token = madeText();
        accepted.add(token);
        return { token };
      },
      endByHand: (value) => void accepted.delete(tokenIn(value)),
    };
  },
};

function keySet<V>(
  name: string,
  kind: "hmac-key" | "jwt-signing-key",
  mode: "automatic" | "manual-dual-publish",
  more: {
    /** An author may move from one to the other at any time. */
    readonly settings: readonly object[];
    readonly targetOf: (settings: never) => unknown;
    readonly signsWith: (value: V) => string;
    readonly next: (value: V) => readonly string[];
    readonly accepts: (value: V) => readonly string[];
    readonly first?: () => NonNullable<SequenceVendor<V>["first"]>;
  },
): SequenceKind<V> {
  return {
    name,
    kind,
    mode,
    publishes: true,
    acceptedBy: "own-workloads",
    // An hour more than the refresh interval and the margin: the life of what was signed.
    overlapSeconds: OVERLAP + HOUR,
    publishLeadSeconds: OVERLAP,
    begin: (clock) => {
      let settings = 0;
      /** Signatures of the last hour: the key and the time of each. */
      let signed: readonly { readonly by: string; readonly at: number }[] = [];
      const accepts = (value: V, key: string): boolean => more.accepts(value).includes(key);
      const first = more.first?.();
      return {
        ...(first === undefined ? {} : { first }),
        settings: () => more.settings[settings] ?? {},
        targetOf: (made) => more.targetOf(made) as never,
        presents: async (value, others) => {
          const now = clock.now().getTime();
          const key = more.signsWith(value);
          signed = [...signed.filter(({ at }) => now - at <= HOUR * 1_000), { by: key, at: now }];
          // What was signed before is taken until its life is over; a leaked key is taken by nobody, once nobody holds it.
          const isTaken = (other: string): boolean =>
            accepts(value, other) || !others.some((holder) => accepts(holder, other));
          return (
            [value, ...others].every((holder) => accepts(holder, key)) &&
            signed.every(({ by }) => isTaken(by))
          );
        },
        live: (current) => (current === undefined ? [] : more.accepts(current)),
        opens: (value) => [more.signsWith(value), ...more.next(value)],
        rename: () => {
          settings = (settings + 1) % 2;
        },
      };
    },
  };
}

const hmac = (mode: "automatic" | "manual-dual-publish") => {
  const idOf = ({ id, algorithm }: HmacValue["current"]): string => `${id} ${algorithm}`;
  const choices = [{}, { algorithm: "sha512", bytes: 64 }].map((choice) => parsed("hmac-key", choice));
  return keySet<HmacValue>(`hmac-key, ${mode}`, "hmac-key", mode, {
    settings: choices,
    targetOf: (settings) => hmacKeyTarget({ settings, mode, random: testRandom }),
    signsWith: ({ current }) => idOf(current),
    next: ({ next }) => (next === null ? [] : [idOf(next)]),
    accepts: (value) => keysOf(value).map(idOf),
  });
};

/** A key of the organisation with which the secret begins. */
function adoptedFirst(settings: KindSettings<"jwt-signing-key">) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = "acme-2021";
  const secret = { kind: "jwt-signing-key", settings } as const;
  return {
    supplied: { privateKey: privateKey.export({ format: "jwk" }), kid },
    complete: (given: unknown) => completeValue(secret, given) as unknown as JwtValue,
    isOf: ({ current }: JwtValue) => current.kid === kid,
  };
}

const jwt = (mode: "automatic" | "manual-dual-publish", adopted = false) => {
  const firstKey = adopted ? "supplied" : "generated";
  const choices = ["ES256", "EdDSA"].map((algorithm) => parsed("jwt-signing-key", { algorithm, firstKey }));
  const [settings] = choices;
  return keySet<JwtValue>(`jwt-signing-key, ${mode}${adopted ? ", adopted" : ""}`, "jwt-signing-key", mode, {
    ...(adopted && settings !== undefined ? { first: () => adoptedFirst(settings) } : {}),
    settings: choices,
    targetOf: (settings) => jwtSigningKeyTarget({ settings, mode }),
    signsWith: ({ current }) => current.kid,
    next: ({ next }) => (next === null ? [] : [next.kid]),
    accepts: ({ jwks }) => jwks.keys.map(({ kid }) => kid),
  });
};

const iam: SequenceKind<AccessKeyValue> = {
  name: "s3-access-key",
  kind: "s3-access-key",
  mode: "automatic",
  publishes: false,
  acceptedBy: "target",
  overlapSeconds: OVERLAP,
  publishLeadSeconds: 0,
  begin: (clock) => {
    const keys = new AccessKeysModel(() => clock);
    const settings = {
      bucket: "app",
      user: "s3-app",
      sessionPolicy: { Version: "2012-10-17", Statement: [] },
    };
    return {
      settings: () => settings,
      targetOf: (made, plan, away) =>
        s3AccessKeyTarget({ settings: made, keys: plan.wrap(reachable(keys, away)), clock }),
      presents: async ({ accessKeyId, secretAccessKey }) => keys.lets(accessKeyId, secretAccessKey),
      live: () => keys.ids,
      opens: ({ accessKeyId }) => [accessKeyId],
    };
  },
};

/** Every kind that the property is tried with. */
export const SEQUENCE_KINDS: readonly SequenceKind<never>[] = [
  genericByPeople,
  hmac("automatic"),
  hmac("manual-dual-publish"),
  jwt("automatic"),
  jwt("manual-dual-publish"),
  jwt("automatic", true),
  iam,
  elastiCache,
  elastiCacheUser,
  memoryDbUser,
  redisAcl,
  twins,
  payPal,
  sendGrid,
  datadog,
  stripeKeys,
  stripeWithWebhook,
] as unknown as readonly SequenceKind<never>[];
