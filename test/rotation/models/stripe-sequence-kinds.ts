import { generateKeyPairSync } from "node:crypto";
import { acceptorLag, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { leastOverlap } from "../../../lib/model/resolve";
import { StripeApi } from "../../../lib/rotation/adapters/stripe-api";
import { stripeKeysApi } from "../../../lib/rotation/adapters/stripe-keys-api";
import { type StripeValue, stripeTarget } from "../../../lib/rotation/targets/stripe";
import { keysOf } from "../../../lib/rotation/values/generations";
import { startStripeServer } from "../../../packages/rehearsal/src/vendors/stripe-server";
import { reachable } from "./gated-ports";
import { MadeKeys } from "./made-keys";
import { testRandom } from "./rehearsed-secret";
import type { SequenceKind } from "./sequence-kind";

const HOUR = 3_600;
const environment = { refreshEvery: { seconds: 6 * HOUR }, reloadMargin: { seconds: HOUR } };
const MODE = "test";
const WEBHOOK = "https://shop.example/hooks";

/** One pair for all: making RSA keys takes a second on a busy machine. */
const pair = () => {
  const made = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const publicKey = made.publicKey.export({ type: "spki", format: "pem" }).toString();
  return { publicKey, privateKey: made.privateKey };
};
let made: ReturnType<typeof pair> | undefined;

const settingsOf = (more: object): KindSettings<"stripe"> =>
  settingsSchema("stripe").parse({
    mode: MODE,
    account: "sandbox",
    accountId: "acct_1",
    publishableKey: "pk_test_0000000000000000",
    ...more,
  }) as KindSettings<"stripe">;

/** Keys that an app makes by API and, with a webhook, endpoints of our own. `packages/rehearsal/src/vendors/stripe-server.ts` */
function stripe(name: string, webhook: boolean): SequenceKind<StripeValue> {
  const more = webhook ? { webhookUrl: WEBHOOK } : {};
  const lag = acceptorLag({ kind: "stripe", settings: settingsOf(more) }).afterSwitch;
  return {
    name,
    kind: "stripe",
    mode: "automatic",
    publishes: webhook,
    acceptedBy: "target",
    overlapSeconds: leastOverlap(environment, lag).seconds + HOUR,
    publishLeadSeconds: webhook ? 7 * HOUR : 0,
    begin: async (clock) => {
      const server = await startStripeServer({ now: () => clock.now() });
      const account = server.createAccount();
      const app = server.createApp(account, MODE);
      const settings = settingsOf({
        ...more,
        accountId: account,
        apiUrl: server.url,
        publishableKey: server.createKeys(account, MODE).publishableKey,
        keyPermissions: ["balance_read", "charge_write", "webhook_read", "webhook_write"],
      });
      const api = new StripeApi(settings);
      made ??= pair();
      const newPair = made;
      const apiKeys = new MadeKeys();
      const keys = apiKeys.of(
        stripeKeysApi(
          settings,
          async () => ({ apiKey: app.apiKey }),
          async () => newPair,
        ),
      );
      const liveKeys = (): readonly string[] => apiKeys.liveIn(server.managedKeys(account, MODE));
      const sending = (): readonly string[] =>
        server.endpoints(account, MODE).flatMap(({ id, status }) => (status === "enabled" ? [id] : []));
      const accepted = ({ webhookSecrets }: StripeValue): readonly string[] =>
        keysOf(webhookSecrets).flatMap(({ id }) => id ?? []);
      return {
        settings: () => settings,
        targetOf: (by, plan, away) =>
          stripeTarget({
            settings: by,
            mode: "automatic",
            stripe: plan.wrap(reachable(api, away)),
            keys: plan.wrap(reachable(keys, away)),
            clock,
            random: testRandom,
          }),
        // A key is taken, and each event is: every endpoint that sends sends it, so one of them is enough. After the way
        // back from an emergency the other one's copy is refused until that endpoint goes.
        presents: async (value) =>
          liveKeys().includes(value.secretKeyId ?? "") &&
          (!webhook || sending().some((id) => accepted(value).includes(id))),
        live: () => [...liveKeys(), ...server.endpoints(account, MODE).map(({ id }) => id)],
        opens: ({ secretKeyId, webhookSecrets: { next, current } }) =>
          [secretKeyId, next?.id, current?.id].flatMap((id) => id ?? []),
        close: () => server.stop(),
      };
    },
  };
}

/** Restricted keys alone. */
export const stripeKeys = stripe("stripe, keys by API", false);
/** Keys and webhook secrets in one value. */
export const stripeWithWebhook = stripe("stripe, keys by API and webhooks", true);
