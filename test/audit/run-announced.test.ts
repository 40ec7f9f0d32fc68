import fc from "fast-check";
import { readMessage, toOcsf } from "../../lib/audit";
import { blueprint } from "../../lib/blueprint";
import { PROCEDURE_SOURCE, RUN_RECORDED } from "../../lib/contracts/audit-events";
import type { RotationRecord } from "../../lib/contracts/rotation-record";
import { defineRegistry } from "../../lib/model";
import { announcedBy } from "../../lib/rotation/adapters/eventbridge-runs";
import { Recorder } from "../../lib/rotation/procedure/recorder";
import { recordWith } from "../model/random-record";
import { draft } from "../model/sample";
import { SCOPE } from "./audit-world";

const SECRET = "prod/db/app-primary";
const RUN = "11111111-2222-4333-8444-555555555555";

/** A recorder of one run whose trail may be away. */
function recorder() {
  const told: RotationRecord[] = [];
  const state = { ended: 0, trailIsAway: false };
  const records = new Map<string, string>();
  const run = {
    secret: SECRET,
    run: RUN,
    kind: "rotation" as const,
    newVersion: RUN,
    startedBy: "arn:aws:sts::111122223333:assumed-role/operator/jane",
    startedAt: new Date("2026-12-01T10:00:00Z"),
    status: "proving" as const,
    direction: "forward" as const,
  };
  const made = new Recorder({
    settings: {
      registry: "acme",
      environment: "prod",
      region: "eu-central-1",
      runsTable: "runs",
      changesTable: "changes",
      recordsBucket: "records",
      secrets: { [SECRET]: { key: "db/app-primary", kind: "postgresql-user" } },
    },
    runs: {
      read: async () => run,
      advance: async () => undefined,
      close: async () => new Date("2026-12-01T11:00:00Z"),
      end: async () => {
        state.ended += 1;
      },
    } as never,
    archive: {
      writeOnce: async (name, text) => {
        if (!records.has(name)) records.set(name, text);
        return records.get(name) ?? "";
      },
    },
    clock: { now: () => new Date("2026-12-01T11:00:00Z") },
    announce: async (record) => {
      if (state.trailIsAway) throw new Error("away");
      told.push(record);
    },
  });
  const event = { Secret: SECRET, Run: RUN, Outcome: "failed", Phases: [], Checks: [], Fault: null } as const;
  return { told, state, run: () => made.run(event) };
}

test("a run is told before it ends; where that fails it is told by the next call, once more the same", async () => {
  const { told, state, run } = recorder();
  state.trailIsAway = true;
  await expect(run()).rejects.toThrow("away");
  expect(state.ended).toBe(0);
  state.trailIsAway = false;
  await run();
  await run();
  expect(state.ended).toBe(2);
  const ids = told.map((record) => {
    const reading = readMessage(
      JSON.stringify({ source: PROCEDURE_SOURCE, "detail-type": RUN_RECORDED, detail: record }),
      SCOPE,
    );
    if (reading.outcome !== "facts") throw new Error(reading.outcome);
    return reading.facts.map((fact) => toOcsf(fact, SCOPE).metadata.uid);
  });
  expect(ids).toHaveLength(2);
  expect(ids[0]).toEqual(ids[1]);
});

test("EventBridge gets the record under our own source; what it does not take is a fault that is tried again", async () => {
  const sent: object[] = [];
  const client = (failed: number) =>
    ({
      send: async (command: { readonly input: object }) => {
        sent.push(command.input);
        return { FailedEntryCount: failed, Entries: [{ ErrorCode: "InternalFailure" }] };
      },
    }) as never;
  const [record] = fc.sample(recordWith(RUN), 1);
  if (record === undefined) throw new Error("no record");
  await announcedBy(client(0))(record);
  expect(sent).toEqual([
    { Entries: [{ Source: PROCEDURE_SOURCE, DetailType: RUN_RECORDED, Detail: JSON.stringify(record) }] },
  ]);
  await expect(announcedBy(client(1))(record)).rejects.toMatchObject({ code: "throttled", retryable: true });
});

test("only where there is a trail, the recorder may put events, of that source alone", () => {
  const recorderIn = (definition: ReturnType<typeof draft>) =>
    blueprint(defineRegistry(definition), "prod").functions.find(({ bundle }) => bundle === "recorder");
  const rights = (definition: ReturnType<typeof draft>) =>
    (recorderIn(definition)?.role.policies.inline ?? []).flatMap(({ document }) =>
      document.Statement.filter(({ Action }) => Action.includes("events:PutEvents")),
    );
  expect(rights(draft())).toEqual([]);
  const withTrail = draft();
  withTrail.environments.prod.audit = { trail: "create" };
  expect(rights(withTrail)).toEqual([
    expect.objectContaining({
      Resource: ["arn:aws:events:eu-central-1:444455556666:event-bus/default"],
      Condition: expect.objectContaining({ StringEquals: { "events:source": [PROCEDURE_SOURCE] } }),
    }),
  ]);
  expect(recorderIn(withTrail)?.settings).toMatchObject({ announces: true });
});
