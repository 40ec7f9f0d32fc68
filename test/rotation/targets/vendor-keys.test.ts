import fc from "fast-check";
import type { Attempt } from "../../../lib/rotation/protocol/target";
import { lastUse } from "../../../lib/rotation/targets/last-use";
import {
  keepOnly,
  makeKey,
  type VendorKey,
  type VendorKeys,
} from "../../../lib/rotation/targets/vendor-keys";
import { TestClock, testRandom } from "../models/rehearsed-secret";

/** A list of keys in memory. */
class KeysModel implements VendorKeys {
  keys: readonly VendorKey[] = [];

  async list(): Promise<readonly VendorKey[]> {
    return this.keys;
  }

  async create(name: string) {
    const id = `key-${this.keys.length}-${name}`;
    this.keys = [...this.keys, { id, name }];
    return { id, key: "value" };
  }

  async remove(id: string): Promise<boolean> {
    const before = this.keys.length;
    this.keys = this.keys.filter((key) => key.id !== id);
    return this.keys.length < before;
  }
}

const word = fc.stringMatching(/^[a-z0-9]{1,12}(-[a-z0-9]{1,12}){0,3}$/);
const secretName = fc.array(word, { minLength: 2, maxLength: 6 }).map((words) => words.join("/"));
const secretArn = fc
  .tuple(secretName, fc.stringMatching(/^[A-Za-z0-9]{6}$/))
  .map(([name, suffix]) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-${suffix}`);
/** Ids of versions that Secrets Manager takes. */
const versionId = fc.oneof(fc.uuid(), fc.stringMatching(/^[A-Za-z0-9-]{32,64}$/));

const shared = { inUse: undefined, random: testRandom };

test("whatever secret and version: a name of at most 100 characters, another one each time, and found again", async () => {
  await fc.assert(
    fc.asyncProperty(secretName, secretArn, versionId, async (name, arn, version) => {
      const keys = new KeysModel();
      const clock = new TestClock();
      const attempt: Attempt = { secretName: name, secretArn: arn, versionId: version, labelled: [version] };
      const made = [];
      for (const _ of [1, 2, 3]) made.push(await makeKey({ keys, attempt, clock, ...shared }));
      const names = keys.keys.map((key) => key.name);
      expect(new Set(names).size).toBe(3);
      for (const each of names) expect(each.length).toBeLessThanOrEqual(100);
      if (name.length <= 39 && version.length <= 36) expect(names[0]).toContain(`@${version}.`);
      await keepOnly(keys, attempt, made[1]?.id ?? "");
      expect(keys.keys.map(({ id }) => id)).toEqual([made[1]?.id]);
    }),
  );
});

test("no secret takes another one's keys for its own", async () => {
  const attemptOf = ([name, arn, version]: readonly [string, string, string]): Attempt => ({
    secretName: name,
    secretArn: arn,
    versionId: version,
    labelled: [version],
  });
  const attempts = fc.tuple(secretName, secretArn, versionId);
  await fc.assert(
    fc.asyncProperty(attempts, attempts, async (one, other) => {
      fc.pre(one[1] !== other[1]);
      const keys = new KeysModel();
      const clock = new TestClock();
      await makeKey({ keys, attempt: attemptOf(one), clock, ...shared });
      clock.advance(3_600);
      await makeKey({ keys, attempt: attemptOf(other), clock, ...shared });
      await keepOnly(keys, attemptOf(other), "none");
      expect(keys.keys).toHaveLength(1);
      expect(keys.keys[0]?.id).toContain("key-0-");
    }),
  );
});

describe("which keys nobody holds", () => {
  const [current, before, pending, gone] = ["current", "before", "pending", "gone"].map((name) =>
    name.padEnd(36, "-0"),
  ) as [string, string, string, string];
  const attempt = (version: string): Attempt => ({
    secretName: "prod/app",
    secretArn: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/app-AbCdEf",
    versionId: version,
    labelled: [current, before, pending],
  });

  test.each<[string, string, number, boolean]>([
    ["the version before", before, 3_600, true],
    ["a twin of the current version's", current, 0, false],
    ["a version without a label, old", gone, 3_600, false],
    ["a version without a label, young", gone, 60, true],
    ["the version that rotates in, old", pending, 3_600, false],
    ["the version that rotates in, young", pending, 60, true],
  ])("%s", async (_what, version, age, kept) => {
    const keys = new KeysModel();
    const clock = new TestClock();
    const { id: inUse } = await makeKey({ keys, attempt: attempt(current), clock, ...shared });
    const { id } = await keys.create(
      (await makeKey({ keys: new KeysModel(), attempt: attempt(version), clock, ...shared })).id.replace(
        /^key-0-/,
        "",
      ),
    );
    clock.advance(age);
    await makeKey({ keys, attempt: attempt(pending), clock, random: testRandom, inUse });
    const left = keys.keys.map((key) => key.id);
    expect(left).toContain(inUse);
    expect(left.includes(id)).toBe(kept);
  });
});

test.each<[string, readonly (Date | undefined)[], Date | undefined, object | undefined]>([
  [
    "the later of two",
    [new Date("2026-01-02T00:00:00Z"), new Date("2026-01-03T00:00:00Z")],
    new Date(),
    { lookedBy: "last-use", since: "2026-01-03T00:00:00.000Z" },
  ],
  ["a vendor that is silent on one of them", [new Date(), undefined], new Date(), undefined],
  ["a vendor that is silent", [undefined], new Date(), undefined],
  ["nobody looked", [new Date()], undefined, { lookedBy: "not-looked" }],
])("the last use of retired keys: %s", (_what, uses, usedUntil, evidence) => {
  expect(lastUse(uses, usedUntil)).toEqual(evidence);
});
