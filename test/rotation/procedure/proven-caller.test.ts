import { STSClient } from "@aws-sdk/client-sts";
import { signedProof } from "../../../lib/cli/cloud/signed-proof";
import { proofBinding } from "../../../lib/contracts/caller-proof";
import type { DispatcherSettings } from "../../../lib/contracts/function-settings";
import { StsCallerIdentities } from "../../../lib/rotation/adapters/sts-caller-identities";
import { dispatcherHandlerOf } from "../../../lib/rotation/entries/dispatcher-handler";
import { dispatcherSettings } from "../models/dispatcher-settings";
import { ExecutionsModel } from "../models/executions-model";
import { PublicationsModel, TestClock, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";
import { type Keys, StsModel } from "../models/sts-model";

/** Callers that can start a run, and call one back, where the dispatcher takes nobody's word; and the names in the run. */

const REGION = "eu-central-1";
const PLACE = { registry: "acme", environment: "prod" };
const KEY = "db/app";
const NAME = `prod/${KEY}`;
const [FIRST, SECOND] = [versionId("first"), versionId("second")];
const session = (role: string, name: string, account = "333333333333") =>
  `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const ANA = session("operator", "ana@example.com");
const BEN = session("approver", "ben@example.com");

let sts: StsModel;
let keys: ReadonlyMap<string, Keys>;

beforeAll(async () => {
  sts = await StsModel.start(REGION);
  const callers = [
    ANA,
    BEN,
    session("operator", "ana@example.com", "444444444444"),
    session("break-glass", "eva"),
  ];
  keys = new Map(callers.map((arn) => [arn, sts.keysOf(arn)]));
});

afterAll(() => sts?.stop());

const ROTATE = { Action: "rotate", Key: KEY, Requester: ANA };
const ROLLBACK = { Action: "rollback", Key: KEY, Requester: ANA };

const proofOf = (
  arn: string,
  event: object,
  place = PLACE,
  to: "dispatcher" | "approval-gate" = "dispatcher",
) =>
  signedProof(
    new STSClient({ region: REGION, credentials: keys.get(arn) as Keys }),
    REGION,
    proofBinding(place, to, event),
  );

/** A dispatcher of one secret, whose rotation function has made the next value when it is asked. */
function dispatcherWith(callerProof: DispatcherSettings["callerProof"]) {
  const runs = new RunTableModel();
  const executions = new ExecutionsModel();
  const lines: string[] = [];
  const log = (message: string, fields: object = {}) =>
    void lines.push(JSON.stringify({ message, ...fields }));
  const handler = dispatcherHandlerOf({
    settings: dispatcherSettings(
      NAME,
      { key: KEY, kind: "postgresql-user", rotation: "automatic", function: "rotate", approval: true },
      {
        ...PLACE,
        region: REGION,
        callerProof,
        starters: ["arn:aws:iam::333333333333:role/operator", "arn:aws:iam::333333333333:role/break-glass"],
      },
    ),
    runs,
    store: {
      describe: async () => ({
        name: NAME,
        arn: `arn:aws:secretsmanager:${REGION}:333333333333:secret:${NAME}-AbCdEf`,
        rotationEnabled: true,
        lastRotatedAt: new Date("2026-01-01T00:00:00Z"),
        deleted: false,
        primaryRegion: undefined,
        labels: new Map([[FIRST, ["AWSCURRENT", `VERIFIED.${"0".repeat(64)}`]]]),
      }),
    },
    publications: new PublicationsModel(),
    proofs: { proves: async () => true },
    rotations: { start: async () => undefined },
    functions: { invoke: async () => ({}) },
    identities: new StsCallerIdentities({
      region: REGION,
      endpoint: sts.endpoint,
      clock: { now: () => new Date() },
    }),
    executions,
    clock: new TestClock(),
    log: { info: log, warn: log, error: log },
    newVersion: () => SECOND,
  });
  return { runs, handler, lines, executions };
}

describe("where who asks must be proven, the dispatcher", () => {
  test("begins a run for whom STS names, whatever name the event has", async () => {
    const { runs, handler, lines } = dispatcherWith("required");
    const event = { ...ROTATE, Requester: BEN };
    await handler({ ...event, Proof: await proofOf(ANA, event) });
    expect(runs.runs).toMatchObject([{ startedBy: ANA, startedByIs: "proven" }]);
    expect(lines.join("\n")).not.toMatch(/Signature=|AWS4-HMAC/);
  });

  test("lets break-glass begin one too", async () => {
    const { runs, handler } = dispatcherWith("required");
    await handler({ ...ROTATE, Proof: await proofOf(session("break-glass", "eva"), ROTATE) });
    expect(runs.runs).toMatchObject([{ startedByIs: "proven" }]);
  });

  test.each([
    ["no proof", async () => undefined, "proof-missing", {}],
    ["an approver's proof, who is no operator", () => proofOf(BEN, ROTATE), "proof-refused", {}],
    [
      "a proof from an account of one's own",
      () => proofOf(session("operator", "ana@example.com", "444444444444"), ROTATE),
      "proof-refused",
      {},
    ],
    [
      "a proof of another secret's run",
      () => proofOf(ANA, { ...ROTATE, Key: "db/other" }),
      "proof-refused",
      {},
    ],
    ["a proof of a run without emergency", () => proofOf(ANA, ROTATE), "proof-refused", { Emergency: true }],
    [
      "a proof of another change",
      () => proofOf(ANA, ROTATE),
      "proof-refused",
      { Change: { Digest: `sha256:${"1".repeat(64)}` } },
    ],
    ["a proof of a promotion", () => proofOf(ANA, { ...ROTATE, Action: "promote" }), "proof-refused", {}],
    [
      "a proof for stage",
      () => proofOf(ANA, ROTATE, { ...PLACE, environment: "stage" }),
      "proof-refused",
      {},
    ],
    [
      "a proof for the approval gate",
      () => proofOf(ANA, ROTATE, PLACE, "approval-gate"),
      "proof-refused",
      {},
    ],
  ])("begins nothing with %s", async (_, proof, code, more: object) => {
    const { runs, handler } = dispatcherWith("required");
    const Proof = await proof();
    await expect(handler({ ...ROTATE, ...more, ...(Proof && { Proof }) })).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`^${code}`)),
    });
    expect(runs.runs).toEqual([]);
  });

  test("does nothing about a run that is there without a proof: it neither goes on with it nor takes its place", async () => {
    const { runs, handler, executions } = dispatcherWith("required");
    await handler({ ...ROTATE, Proof: await proofOf(ANA, ROTATE) });
    const [before, started] = [runs.runs, executions.running.length];
    for (const more of [{}, { Emergency: true }]) {
      await expect(handler({ ...ROTATE, ...more })).rejects.toThrow(/^proof-missing/);
    }
    expect([runs.runs, executions.running.length]).toEqual([before, started]);
  });

  test("takes no event that says it is the schedule's", async () => {
    const { runs, handler } = dispatcherWith("required");
    for (const more of [{ Scheduled: true }, { scheduled: true }]) {
      await expect(handler({ ...ROTATE, ...more })).rejects.toThrow(/^event-malformed/);
    }
    await expect(handler({ ...ROTATE, Requester: "schedule" })).rejects.toThrow(
      /^(event-malformed|proof-missing)/,
    );
    expect(runs.runs).toEqual([]);
  });

  test("calls no run back without a proof, or with the proof that began it", async () => {
    const { runs, handler } = dispatcherWith("required");
    const begun = await proofOf(ANA, ROTATE);
    await handler({ ...ROTATE, Proof: begun });
    for (const Proof of [undefined, begun, await proofOf(BEN, ROLLBACK)]) {
      await expect(handler({ ...ROLLBACK, ...(Proof && { Proof }) })).rejects.toMatchObject({
        message: expect.stringMatching(/^proof-/),
      });
    }
    expect(runs.runs).toMatchObject([{ direction: "forward" }]);
  });
});

test("where no proof is needed, a name without one stands as said, and one with a proof is looked at all the same", async () => {
  const { runs, handler } = dispatcherWith("none");
  const wrong = await proofOf(ANA, { ...ROTATE, Key: "db/other" });
  await expect(handler({ ...ROTATE, Proof: wrong })).rejects.toThrow(/^proof-refused/);
  await handler(ROTATE);
  expect(runs.runs).toMatchObject([{ startedBy: ANA }]);
  expect(runs.runs[0]).not.toHaveProperty("startedByIs");
});
