import { type KindName, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import type { TargetProps } from "../../../lib/rotation/entries/rotation-handler";
import { datadogTargetOf } from "../../../lib/rotation/handlers/datadog";
import { sendGridTargetOf } from "../../../lib/rotation/handlers/sendgrid";
import type { AcceptingTarget, Target } from "../../../lib/rotation/protocol/target";
import { startDatadog, startSendGrid } from "../../../packages/rehearsal/src/vendors";
import { ATTEMPT, TestClock, testRandom } from "../models/rehearsed-secret";

/** Props from which a function without an admin secret makes a target. */
const propsOf = <K extends KindName>(kind: K, settings: object): TargetProps<K> => ({
  settings: settingsSchema(kind).parse(settings) as KindSettings<K>,
  rotation: "operator-assisted",
  acceptedBy: "target",
  overlap: { seconds: 3_600 },
  publishLead: { seconds: 0 },
  readAdmin: async () => {
    throw new Error("nobody has named an admin secret");
  },
  clock: new TestClock(),
  random: testRandom,
});

const accepting = <V>(target: Target<V>): AcceptingTarget<V> => {
  if (target.acceptedBy !== "target") throw new Error(target.acceptedBy);
  return target;
};

const retirement = { secret: ATTEMPT, refreshedBy: new Date(0), emergency: false };

test("a SendGrid key without an admin: a person supplies it, it is tried by itself, and a person ends it", async () => {
  const server = await startSendGrid();
  try {
    const target = accepting(sendGridTargetOf(propsOf("sendgrid", { account: "acme", apiUrl: server.url })));
    await expect(target.generate(undefined, ATTEMPT)).rejects.toThrow("operator-needed");
    const [first, second] = ["one", "two"].map((name) => ({
      apiKey: server.makeKey(name, ["mail.send"]).key,
    })) as [{ apiKey: string }, { apiKey: string }];
    expect(await target.generate(undefined, ATTEMPT, first)).toEqual(first);
    await target.install(first, undefined, ATTEMPT);
    await target.test(first);
    await expect(target.test({ apiKey: server.makeKey("other", ["alerts.read"]).key })).rejects.toThrow(
      "right-missing",
    );
    target.checkSuccession(second, first);
    expect(() => target.checkSuccession(first, first)).toThrow("stale-version");

    await expect(target.retire({ ...retirement, retired: first, kept: [second] })).rejects.toThrow(
      "still-accepted: a person ends the API key of SendGrid account acme",
    );
    expect(server.takes(first.apiKey)).toBe(true);
    server.removeKey(first.apiKey);
    await target.retire({ ...retirement, retired: first, kept: [second] });
    await target.test(second);
    await target.retire({ ...retirement, retired: second, kept: [second] });
    await expect(target.test(first)).rejects.toThrow("target-refused");
  } finally {
    await server.stop();
  }
}, 60_000);

test("a SendGrid key that may not say its scopes, without an admin: mail is tried, more is not taken on trust", async () => {
  const server = await startSendGrid({ scopesUntold: true });
  try {
    const targetWith = (scopes?: readonly string[]) =>
      accepting(sendGridTargetOf(propsOf("sendgrid", { account: "acme", apiUrl: server.url, scopes })));
    const sends = { apiKey: server.makeKey("sends", ["mail.send", "2fa_required"]).key };
    const reads = { apiKey: server.makeKey("reads", ["alerts.read", "2fa_required"]).key };
    await targetWith().test(sends);
    await expect(targetWith().test(reads)).rejects.toThrow(
      "right-missing: the key lacks the scopes mail.send",
    );
    await expect(targetWith(["alerts.read", "mail.send"]).test(sends)).rejects.toThrow(
      /^right-missing: .*nobody can tell whether it has alerts.read: leave them out of scopes, or name an admin/,
    );
    await expect(targetWith().retire({ ...retirement, retired: reads, kept: [sends] })).rejects.toThrow(
      "still-accepted",
    );
    server.removeKey(reads.apiKey);
    await targetWith().retire({ ...retirement, retired: reads, kept: [sends] });
  } finally {
    await server.stop();
  }
}, 60_000);

test("a pair of Datadog's without an admin ends when a person has ended both halves that nobody uses", async () => {
  const server = await startDatadog();
  try {
    const { serviceAccountId } = server;
    const target = accepting(
      datadogTargetOf(propsOf("datadog", { org: "acme", serviceAccountId, apiUrl: server.url })),
    );
    await expect(target.generate(undefined, ATTEMPT)).rejects.toThrow("operator-needed");
    const first = { ...server.makeKeys("one") };
    const second = { ...server.makeKeys("two") };
    expect(await target.generate(first, ATTEMPT, second)).toEqual(second);
    await target.install(second, first, ATTEMPT);
    await target.test(second);

    const end = () => target.retire({ ...retirement, retired: first, kept: [second] });
    await expect(end()).rejects.toThrow("still-accepted");
    server.removeKeys({ apiKeyId: first.apiKeyId, appKeyId: "" });
    // The application key opens the organisation with any API key.
    await expect(end()).rejects.toThrow("still-accepted");
    server.removeKeys({ apiKeyId: "", appKeyId: first.appKeyId });
    await end();
    await target.test(second);

    // A person has given the next pair with the same API key: that half goes on.
    const third = { ...server.makeKeys("three"), apiKey: second.apiKey, apiKeyId: second.apiKeyId };
    server.removeKeys({ apiKeyId: "", appKeyId: second.appKeyId });
    await target.retire({ ...retirement, retired: second, kept: [third] });
  } finally {
    await server.stop();
  }
}, 60_000);
