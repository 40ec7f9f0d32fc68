import type { Run } from "../../../lib/contracts/run";
import type { JwtValue } from "../../../lib/rotation/values/jwks";
import type { SequenceKind } from "../models/sequence-kind";
import { SEQUENCE_KINDS } from "../models/sequence-kinds";
import { emptyTally, type SequenceOp, SequenceWorld } from "../models/sequence-world";

const worlds: SequenceWorld<object>[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

const ACL = "redis-auth-token, ACL user";

/** A secret of a kind that is served, after some things were done to it. */
async function secretAfter(name: string, ...ops: readonly SequenceOp[]) {
  const kind = SEQUENCE_KINDS.find((candidate) => candidate.name === name) as
    | SequenceKind<object>
    | undefined;
  if (kind === undefined) throw new Error(`no kind ${name}`);
  const tally = emptyTally();
  const world = await SequenceWorld.open<object>(kind, () => 1, tally);
  worlds.push(world);
  await world.begin();
  for (const op of ops) await world.perform(op);
  return { world, tally, overlap: kind.overlapSeconds / 3_600 };
}

const statuses = (runs: readonly Run[], kind: Run["kind"]): readonly string[] =>
  runs.filter((run) => run.kind === kind).map(({ status }) => status);

const ANSWER = (became: "adopted" | "cleared") => ({
  result: "under-way",
  run: { leftover: { version: expect.any(String), became } },
});

/** Secrets Manager's schedule comes while a rotation's overlap runs: it is refused, and leaves AWSPENDING behind. */
const REFUSED_SCHEDULE: readonly SequenceOp[] = [
  { do: "rotate" },
  { do: "wait", hours: 1 },
  { do: "schedule" },
  { do: "wait", hours: 12 },
];

describe("AWSPENDING without a run", () => {
  test("is taken up by the next rotation, whose answer names it", async () => {
    const { world } = await secretAfter(ACL, ...REFUSED_SCHEDULE);
    const pending = world.secrets.versionWith("test/app/secret", "AWSPENDING");
    expect(world.table.runs.some(({ newVersion }) => newVersion === pending)).toBe(false);
    await world.perform({ do: "rotate" });
    expect(world.answer).toMatchObject(ANSWER("adopted"));
    expect(world.answer).toMatchObject({ run: { run: pending, leftover: { version: pending } } });
    await world.pass(1);
    expect(world.secrets.versionWith("test/app/secret", "AWSCURRENT")).toBe(pending);
  });

  test("is given up by an emergency, for it may hold what has leaked; the answer names it", async () => {
    const { world } = await secretAfter(ACL, ...REFUSED_SCHEDULE);
    const pending = world.secrets.versionWith("test/app/secret", "AWSPENDING");
    await world.perform({ do: "emergency" });
    expect(world.answer).toMatchObject(ANSWER("cleared"));
    expect(world.table.runs).toContainEqual(
      expect.objectContaining({ run: `clear-${pending}`, status: "withdrawn" }),
    );
    await world.pass(2);
    expect(world.secrets.versionWith("test/app/secret", "AWSCURRENT")).not.toBe(pending);
    expect(world.live).toEqual(world.opened);
  });
});

describe("a version that was served and rolled back", () => {
  const ROLLED_BACK: readonly SequenceOp[] = [
    { do: "rotate" },
    { do: "wait", hours: 2 },
    { do: "give up" },
    { do: "wait", hours: 3 },
  ];

  test("is retired one overlap later, by a run of its own", async () => {
    const { world, tally, overlap } = await secretAfter(ACL, ...ROLLED_BACK);
    expect(statuses(world.table.runs, "rotation")).toContain("rolled-back");
    expect(statuses(world.table.runs, "retirement")).toEqual(["proving"]);
    expect(world.live).toHaveLength(2);
    await world.pass(overlap);
    expect(statuses(world.table.runs, "retirement")).toEqual(["decommissioned"]);
    expect(world.live).toEqual(world.opened);
    expect(tally.refused).toBe(0);
  });

  test("keeps that run: it is not taken back, and another rotation waits for it", async () => {
    const { world } = await secretAfter(ACL, ...ROLLED_BACK);
    for (const op of [{ do: "give up" }, { do: "rotate" }] as const) {
      await world.perform(op);
      expect(world.journal.at(-1)).toContain("run-under-way");
    }
    expect(statuses(world.table.runs, "retirement")).toEqual(["proving"]);
  });

  test.each(["hmac-key, manual-dual-publish", "jwt-signing-key, manual-dual-publish"])(
    "is promoted once more: %s",
    async (kind) => {
      const { world, tally, overlap } = await secretAfter(kind, { do: "rotate" }, { do: "wait", hours: 30 });
      const published = world.secrets.versionWith("test/app/secret", "AWSCURRENT");
      await world.perform({ do: "promote" });
      await world.pass(2);
      expect(world.secrets.versionWith("test/app/secret", "AWSCURRENT")).not.toBe(published);
      await world.perform({ do: "give up" });
      await world.pass(overlap + 8);
      expect(world.secrets.versionWith("test/app/secret", "AWSCURRENT")).toBe(published);
      await world.perform({ do: "promote" });
      await world.pass(2);
      expect(world.answer).toMatchObject({ run: { run: `promote-${published}.2` } });
      expect(world.secrets.versionWith("test/app/secret", "AWSCURRENT")).not.toBe(published);
      expect(tally.refused).toBe(0);
    },
  );

  test("is retired by an approver's leave: one who refuses is asked again after a pause, and nothing is taken back", async () => {
    const { world, overlap } = await secretAfter(ACL, ...ROLLED_BACK, { do: "refuse" });
    await world.pass(overlap + 12);
    expect(statuses(world.table.runs, "retirement")).toEqual(["failed", "decommissioned"]);
    expect(statuses(world.table.runs, "rotation").filter((status) => status === "rolled-back")).toHaveLength(
      1,
    );
    expect(world.live).toEqual(world.opened);
  });
});

describe("a leak", () => {
  test.each(SEQUENCE_KINDS.map(({ name }) => name))(
    "of %s just after a rotation: no former key is accepted within hours",
    async (name) => {
      const { world, tally, overlap } = await secretAfter(name, { do: "rotate" }, { do: "wait", hours: 1 });
      const leaked = [...world.live, ...world.opened];
      await world.perform({ do: "emergency" });
      await world.pass(2);
      expect(2).toBeLessThan(overlap);
      for (const id of leaked) expect(world.live).not.toContain(id);
      for (const id of leaked) expect(world.opened).not.toContain(id);
      expect(world.table.runs.at(-1)).toMatchObject({ emergency: true, status: "decommissioned" });
      expect(tally.refused).toBe(0);
    },
  );

  test("takes the secret from the run that is under way", async () => {
    const { world } = await secretAfter(ACL, { do: "rotate" }, { do: "wait", hours: 1 }, { do: "emergency" });
    expect(world.table.runs.map(({ status, emergency = false }) => [status, emergency])).toContainEqual([
      "failed",
      false,
    ]);
    await world.pass(2);
    expect(world.table.runs.at(-1)).toMatchObject({ emergency: true, status: "decommissioned" });
  });

  test("does not wait for a Vault that is away", async () => {
    const { world } = await secretAfter(
      ACL,
      { do: "rotate" },
      { do: "wait", hours: 1 },
      { do: "Vault away", hours: 30 },
      { do: "emergency" },
      { do: "wait", hours: 4 },
    );
    expect(world.table.runs.at(-1)).toMatchObject({ emergency: true, status: "decommissioned" });
    expect(world.live).toEqual(world.opened);
  });
});

describe("what sequences have found", () => {
  test("a rotation that Secrets Manager has given up goes on within two hours: what was made for it is not left alive", async () => {
    const { world } = await secretAfter(
      "s3-access-key",
      { do: "die", at: 13, when: "before" },
      { do: "rotate" },
      { do: "give up" },
      { do: "die", at: 1, when: "before" },
      { do: "wait", hours: 1 },
    );
    const version = world.table.runs.at(-1)?.newVersion;
    expect(world.secrets.versionWith("test/app/secret", "AWSCURRENT")).not.toBe(version);
    await world.pass(3);
    expect(world.secrets.versionWith("test/app/secret", "AWSCURRENT")).toBe(version);
  });

  test("a login of the former user ends although the server was away when its turn came", async () => {
    const { world } = await secretAfter(
      ACL,
      { do: "rename" },
      { do: "rotate" },
      { do: "vendor away", hours: 1 },
      { do: "emergency" },
      { do: "wait", hours: 4 },
    );
    expect(world.table.runs.at(-1)).toMatchObject({ emergency: true, status: "decommissioned" });
    expect(world.live).toEqual(world.opened);
  });

  test("a run that died before it retired the former key, and a promotion after it: the key ends when that begins", async () => {
    const { world } = await secretAfter(
      "stripe, keys by API and webhooks",
      { do: "schedule" },
      { do: "wait", hours: 8 },
      { do: "kill" },
    );
    const keysLive = () => world.live.filter((id) => id.startsWith("mk_"));
    expect(keysLive()).toHaveLength(2);
    await world.perform({ do: "promote" });
    expect(statuses(world.table.runs, "promotion")).toEqual(["proving"]);
    expect(keysLive()).toEqual(world.opened.filter((id) => id.startsWith("mk_")));
  });

  test("a promotion just after a rotation that put a key to use waits for what the key before it has signed", async () => {
    const name = "jwt-signing-key, automatic";
    const { world } = await secretAfter(name, { do: "schedule" }, { do: "wait", hours: 8 }, { do: "kill" });
    const { previous, jwks } = world.value as JwtValue;
    expect(previous).not.toBeNull();
    const before = jwks.keys.map(({ kid }) => kid);
    await world.perform({ do: "promote" });
    const accepted = (): readonly string[] => (world.value as JwtValue).jwks.keys.map(({ kid }) => kid);
    // It was published long enough; the key that it drops was in use until an hour ago.
    expect(accepted()).toEqual(before);
    await world.perform({ do: "wait", hours: 4 });
    expect(accepted()).not.toContain(previous?.kid);
  });
});
