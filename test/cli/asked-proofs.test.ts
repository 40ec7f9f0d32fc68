import { blueprint } from "../../lib/blueprint";
import type { DueSources } from "../../lib/cli/cloud/due-sources";
import type { RotationCloud } from "../../lib/cli/cloud/rotation-cloud";
import { UserFault } from "../../lib/cli/terminal/user-fault";
import { askedProofs } from "../../lib/cli/verbs/asked-proofs";
import { due } from "../../lib/cli/verbs/due";
import { registry } from "../../registry";

const NOW = new Date("2026-03-01T12:00:00Z");
const KEY = "payments/stripe";

/** Every secret has a label of a proof's form on its current version, and every Vault has it. */
const sources: DueSources = {
  secrets: {
    look: async () => ({
      changedAt: NOW,
      currentSince: NOW,
      pendingSince: undefined,
      replicasBehind: [],
      isServed: true,
      verified: "by form",
    }),
  },
  publications: { confirmedAt: async () => NOW },
};

const dueWith = (invoke: RotationCloud["invoke"]) =>
  due(registry, "prod", askedProofs(sources, blueprint(registry, "prod"), { invoke }), NOW, []);

test("a label that was made up proves nothing: the dispatcher says so, which asks KMS", async () => {
  const asked: unknown[] = [];
  const report = await dueWith(async (_, event) => {
    asked.push(event);
    const { Key } = event as { readonly Key: string };
    return { answered: true, payload: Key === KEY ? { unproven: "by form" } : {} };
  });
  expect(asked).toContainEqual({ Action: "status", Key: KEY });
  expect(report.secrets.flatMap(({ key, stuck }) => (stuck.length > 0 ? [[key, stuck]] : []))).toEqual([
    [KEY, ["unproven"]],
  ]);
  expect(report).toMatchObject({ well: false, surroundings: [] });
});

test("where the dispatcher may not be asked, the form of labels is what there is, and that is said once", async () => {
  let calls = 0;
  const report = await dueWith(async () => {
    calls += 1;
    throw new UserFault("may not");
  });
  expect(report.secrets.every(({ stuck }) => stuck.length === 0)).toBe(true);
  expect(report.surroundings).toMatchObject([
    { check: "proofs of current versions", state: "unknown", found: expect.stringContaining("by the form") },
  ]);
  // Those that were asked for at the same time.
  expect(calls).toBeLessThanOrEqual(8);
});
