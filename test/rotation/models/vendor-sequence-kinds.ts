import { type KindSettings, type KindSettingsInput, settingsSchema } from "../../../lib/model/kinds";
import { datadogApi } from "../../../lib/rotation/adapters/datadog-api";
import { PayPalApi } from "../../../lib/rotation/adapters/paypal-api";
import { sendGridApi } from "../../../lib/rotation/adapters/sendgrid-api";
import { type DatadogValue, datadogTarget } from "../../../lib/rotation/targets/datadog";
import { type PayPalValue, payPalTarget } from "../../../lib/rotation/targets/paypal";
import { type SendGridValue, sendGridKeyId, sendGridTarget } from "../../../lib/rotation/targets/sendgrid";
import { startDatadog } from "../../../packages/rehearsal/src/vendors/datadog-server";
import { startPayPalServer } from "../../../packages/rehearsal/src/vendors/paypal-server";
import { startSendGrid } from "../../../packages/rehearsal/src/vendors/sendgrid-server";
import { type Account, AccountsServer, accountsTarget } from "./accounts-model";
import { reachable } from "./gated-ports";
import { MadeKeys } from "./made-keys";
import { testRandom } from "./rehearsed-secret";
import type { SequenceKind } from "./sequence-kind";

/** Refresh interval and reload margin. */
const OVERLAP = 7 * 3_600;

const parsed = <K extends "sendgrid" | "datadog" | "paypal" | "postgresql-user">(
  kind: K,
  settings: KindSettingsInput<K>,
): KindSettings<K> => settingsSchema(kind).parse(settings) as KindSettings<K>;

const automatic = {
  mode: "automatic",
  publishes: false,
  acceptedBy: "target",
  publishLeadSeconds: 0,
} as const;

/** The vendor's own limits hold: 100 keys, names, scopes. `packages/rehearsal/src/vendors/sendgrid-server.ts` */
export const sendGrid: SequenceKind<SendGridValue> = {
  ...automatic,
  name: "sendgrid",
  kind: "sendgrid",
  overlapSeconds: OVERLAP,
  begin: async (clock) => {
    const server = await startSendGrid();
    const settings = parsed("sendgrid", { account: "acme", apiUrl: server.url });
    const admin = async () => ({ apiKey: server.adminKey });
    const made = new MadeKeys();
    return {
      settings: () => settings,
      targetOf: (by, plan, away) => {
        const { keys, ...asked } = sendGridApi(by, admin);
        return sendGridTarget({
          settings: by,
          admin,
          sendGrid: {
            ...plan.wrap(reachable(asked, away)),
            keys: plan.wrap(reachable(made.of(keys), away)),
          },
          clock,
          random: testRandom,
        });
      },
      presents: async ({ apiKey }) => server.takes(apiKey),
      live: () => made.liveIn(server.keyNames),
      opens: ({ apiKey }) => [sendGridKeyId(apiKey) ?? ""],
      close: () => server.stop(),
    };
  },
};

/** A pair of keys, each with a limit. `packages/rehearsal/src/vendors/datadog-server.ts` */
export const datadog: SequenceKind<DatadogValue> = {
  ...automatic,
  name: "datadog",
  kind: "datadog",
  overlapSeconds: OVERLAP,
  begin: async (clock) => {
    const server = await startDatadog({ now: () => clock.now() });
    const { serviceAccountId } = server;
    const made = new MadeKeys();
    const settings = parsed("datadog", { org: "acme", serviceAccountId, apiUrl: server.url });
    const admin = async () => server.admin;
    return {
      settings: () => settings,
      targetOf: (by, plan, away) => {
        const { apiKeys, appKeys, ...asked } = datadogApi(by, admin);
        return datadogTarget({
          settings: by,
          admin,
          datadog: {
            ...plan.wrap(reachable(asked, away)),
            apiKeys: plan.wrap(reachable(made.of(apiKeys), away)),
            appKeys: plan.wrap(reachable(made.of(appKeys), away)),
          },
          clock,
          random: testRandom,
        });
      },
      presents: async (value) => server.takes(value),
      live: () => made.liveIn([...server.apiKeyNames, ...server.appKeyNames]),
      opens: ({ apiKeyId, appKeyId }) => [apiKeyId, appKeyId],
      close: () => server.stop(),
    };
  },
};

/** An app has two secrets at most, which people make, disable and delete. `packages/rehearsal/src/vendors/paypal-server.ts` */
export const payPal: SequenceKind<PayPalValue> = {
  ...automatic,
  name: "paypal, by people",
  kind: "paypal",
  mode: "operator-assisted",
  overlapSeconds: OVERLAP,
  begin: async () => {
    const server = await startPayPalServer();
    const settings = parsed("paypal", { mode: "sandbox", account: "shop", apiUrl: server.url });
    const tokens = new PayPalApi(settings);
    const first = server.createApp();
    const secrets: PayPalValue[] = [];
    const remove = (value: PayPalValue): void => {
      const at = secrets.findIndex(({ clientSecret }) => clientSecret === value.clientSecret);
      if (at < 0) return;
      server.deleteSecret(value);
      secrets.splice(at, 1);
    };
    return {
      settings: () => settings,
      targetOf: (by, plan, away) =>
        payPalTarget({ settings: by, tokens: plan.wrap(reachable(tokens, away)) }),
      // The model keeps what was made and not deleted; asking it over HTTP thousands of times shows no more.
      presents: async (value) => secrets.some(({ clientSecret }) => clientSecret === value.clientSecret),
      live: () => secrets.map(({ clientSecret }) => clientSecret),
      opens: ({ clientSecret }) => [clientSecret],
      supply: (kept) => {
        // Full, as the dashboard says: a person deletes what is neither in use nor still in pods' hands.
        if (secrets.length >= 2) {
          const left = secrets.find(
            ({ clientSecret }) => !kept.some((other) => other.clientSecret === clientSecret),
          );
          if (left === undefined) return undefined;
          remove(left);
        }
        const value = secrets.length === 0 && kept.length === 0 ? first : server.addSecret(first.clientId);
        secrets.push(value);
        return value;
      },
      endByHand: remove,
      close: () => server.stop(),
    };
  },
};

/**
 * Two logins that take turns, as PostgreSQL's do; a model of that shape, not of PostgreSQL: its own suites run on real
 * servers (`docs/explanation/rotation-cases.md`).
 */
export const twins: SequenceKind<Account> = {
  ...automatic,
  name: "two logins that take turns",
  kind: "postgresql-user",
  overlapSeconds: OVERLAP,
  begin: async () => {
    const server = new AccountsServer();
    const settings = parsed("postgresql-user", {
      host: "db.example",
      database: "app",
      role: "app",
    });
    let made = 0;
    return {
      settings: () => settings,
      targetOf: (_, plan, away) =>
        accountsTarget(plan.wrap(reachable(server, away)), () => {
          made += 1;
          return `password ${made}`;
        }),
      presents: async (value) => server.lets(value),
      live: () => server.accepted,
      opens: ({ username, password }) => [`${username} ${password}`],
    };
  },
};
