import { STSClient } from "@aws-sdk/client-sts";
import { signedProof } from "../../../lib/cli/cloud/signed-proof";
import { type CallerProof, proofBinding } from "../../../lib/contracts/caller-proof";
import type { ApprovalAnswer } from "../../../lib/contracts/procedure-events";
import type { NewRun, Run } from "../../../lib/contracts/run";
import { StsCallerIdentities } from "../../../lib/rotation/adapters/sts-caller-identities";
import { approvalGateHandlerOf } from "../../../lib/rotation/entries/approval-gate-handler";
import type { ApprovalTokens, TaskAnswers } from "../../../lib/rotation/procedure/approval-gate";
import { Redaction } from "../../../lib/rotation/protocol/redaction";
import { RunTableModel } from "../models/run-table-model";
import { type Keys, StsModel } from "../models/sts-model";

/** Callers that can make the gate note a decision, and callers that cannot. Proofs are signed as the command signs them. */

const REGION = "eu-central-1";
const PROD = { registry: "acme", environment: "prod" };
const [SECRET, OTHER] = ["prod/payments/stripe", "prod/db/app"];
const session = (role: string, name: string, account = "333333333333") =>
  `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const ANA = session("operator", "ana@example.com");
const BEN = session("approver", "ben@example.com");

let sts: StsModel;
const keys = new Map<string, Keys>();

beforeAll(async () => {
  sts = await StsModel.start(REGION);
});

afterAll(() => sts?.stop());

function keysOf(arn: string): Keys {
  const found = keys.get(arn) ?? sts.keysOf(arn);
  keys.set(arn, found);
  return found;
}

const now = new Date();

/** A gate with a run that waits for a decision, and whose execution has asked for it. */
async function waiting(run: Partial<NewRun> = {}) {
  const runs = new RunTableModel();
  const told: (readonly [string, string])[] = [];
  const lines: string[] = [];
  const kept = new Map<string, string[]>();
  const tokens: ApprovalTokens = {
    add: async (secret, id, token) =>
      void kept.set(`${secret} ${id}`, [...(await tokens.of(secret, id)), token]),
    of: async (secret, id) => kept.get(`${secret} ${id}`) ?? [],
  };
  const answers: TaskAnswers = {
    succeed: async (token, answer: ApprovalAnswer) => void told.push([token, answer.approver]),
    fail: async (token, error) => void told.push([token, error]),
  };
  const begin = async (secret: string, more: Partial<NewRun> = {}): Promise<Run> => {
    const begun = await runs.begin(
      { secret, run: "run", kind: "rotation", newVersion: "new", oldVersion: "old", startedBy: ANA, ...more },
      now,
    );
    await runs.advance(begun, "awaiting-approval");
    return begun;
  };
  const begun = await begin(SECRET, run);
  const redaction = new Redaction();
  const log = (message: string, fields: object = {}) =>
    void lines.push(JSON.stringify({ message, ...fields }));
  const handler = approvalGateHandlerOf({
    settings: {
      ...PROD,
      region: REGION,
      runsTable: "runs",
      approvers: ["arn:aws:iam::333333333333:role/people/approver"],
    },
    runs,
    tokens,
    answers,
    identities: new StsCallerIdentities({
      region: REGION,
      endpoint: sts.endpoint,
      clock: { now: () => new Date() },
    }),
    clock: { now: () => now },
    log: { info: log, warn: log, error: log },
    redaction,
  });
  const decision = async (secret: string = SECRET) => (await runs.read(secret, "run"))?.decision;
  const call = (event: object) => handler(event);
  const ask = (Token: string) => call({ Action: "ask", Secret: SECRET, Run: "run", Token });
  const decide = async (arn: string, Action: "approve" | "reject" = "approve") => {
    const event = { Action, Secret: SECRET, Run: "run" };
    return call({ ...event, Proof: await proofOf(arn, event) });
  };
  return { runs, begun, begin, call, ask, decide, decision, told, lines, answers, redaction };
}

const proofOf = (
  arn: string,
  event: object,
  { place = PROD, to = "approval-gate" as "approval-gate" | "dispatcher" } = {},
): Promise<CallerProof> =>
  signedProof(
    new STSClient({ region: REGION, credentials: keysOf(arn) }),
    REGION,
    proofBinding(place, to, event),
  );

const APPROVAL = { Action: "approve", Secret: SECRET, Run: "run" };

describe("the approval gate", () => {
  test("notes who has approved, as STS says, and tells the execution that waits", async () => {
    const { ask, decide, decision, told } = await waiting();
    await expect(ask("token")).resolves.toEqual({ result: "waiting" });
    await expect(decide(BEN)).resolves.toEqual({ result: "approved", by: BEN });
    expect(await decision()).toEqual({ answer: "approved", by: BEN, at: now });
    expect(told).toEqual([["token", BEN]]);
  });

  test("notes a rejection, also by who has asked for the run with an approver's role", async () => {
    const { ask, decide, decision, told } = await waiting();
    await ask("token");
    const anaToo = session("approver", "ana@example.com");
    await expect(decide(anaToo, "reject")).resolves.toEqual({ result: "rejected", by: anaToo });
    expect(await decision()).toMatchObject({ answer: "rejected", by: anaToo });
    expect(told).toEqual([["token", "Rejected"]]);
  });

  test.each([
    ["whoever started the run, by another role", {}, session("approver", "ana@example.com")],
    ["the same, in other letters", {}, session("approver", "Ana@Example.com")],
    [
      "whoever asked for the change that a colleague started",
      { startedBy: session("operator", "eva@example.com"), change: changeBy("ana@example.com") },
      session("approver", "ana@example.com"),
    ],
    ["an operator", {}, session("operator", "eva@example.com")],
    ["an approver of another account", {}, session("approver", "ben@example.com", "444444444444")],
    ["a user", {}, "arn:aws:iam::333333333333:user/ben@example.com"],
    ["a session that is called like the role", {}, session("other", "approver")],
  ])("refuses %s", async (_, run, arn) => {
    const { begun, runs, ask, decide, decision, told } = await waiting();
    runs.forge({ ...begun, ...run, status: "awaiting-approval" });
    await ask("token");
    await expect(decide(arn)).rejects.toMatchObject({ message: expect.stringMatching(/^approver-refused/) });
    expect([await decision(), told]).toEqual([undefined, []]);
  });

  test.each([
    ["of another run", { ...APPROVAL, Run: "other" }, {}],
    ["of another secret", { ...APPROVAL, Secret: OTHER }, {}],
    ["of a rejection", { ...APPROVAL, Action: "reject" }, {}],
    ["of another environment", APPROVAL, { place: { ...PROD, environment: "stage" } }],
    ["of another registry", APPROVAL, { place: { ...PROD, registry: "other" } }],
    ["of a request to the dispatcher", APPROVAL, { to: "dispatcher" as const }],
    [
      "of a rollback",
      { Action: "rollback", Key: "payments/stripe", Requester: BEN },
      { to: "dispatcher" as const },
    ],
    ["of nothing", {}, {}],
  ])("takes no approver's proof %s", async (_, signed, more) => {
    const { begin, call, decision } = await waiting();
    await begin(OTHER);
    const Proof = await proofOf(BEN, signed, more);
    await expect(call({ ...APPROVAL, Proof })).rejects.toMatchObject({
      message: expect.stringMatching(/^proof-refused/),
    });
    expect(await decision()).toBeUndefined();
  });

  test("takes no proof that was sent before for anything else, and for the same once more without effect", async () => {
    const { begin, call, decision, ask, told } = await waiting();
    await begin(OTHER);
    await ask("token");
    const Proof = await proofOf(BEN, APPROVAL);
    await call({ ...APPROVAL, Proof });
    const noted = await decision();
    await expect(call({ ...APPROVAL, Proof })).resolves.toEqual({ result: "approved", by: BEN });
    for (const other of [{ Secret: OTHER }, { Action: "reject" }, { Run: "next" }]) {
      await expect(call({ ...APPROVAL, ...other, Proof })).rejects.toMatchObject({
        message: expect.stringMatching(/^proof-refused/),
      });
    }
    expect([await decision(), await decision(OTHER)]).toEqual([noted, undefined]);
    expect(told).toEqual([
      ["token", BEN],
      ["token", BEN],
    ]);
  });

  test.each([
    ["a name instead of a proof", { ...APPROVAL, Approver: BEN }],
    ["a name beside a proof", { ...APPROVAL, Approver: BEN, Proof: { Authorization: "a", Date: "b" } }],
    ["no proof", APPROVAL],
    ["a decision in a request to wait", { ...APPROVAL, Action: "ask", Token: "t", Decision: "approved" }],
    ["an identity that the caller has asked for himself", { ...APPROVAL, Proof: { Arn: BEN, Account: "3" } }],
  ])("takes no event with %s", async (_, event) => {
    const { call, decision, told } = await waiting();
    await expect(call(event)).rejects.toMatchObject({ message: expect.stringMatching(/^event-malformed/) });
    expect([await decision(), told]).toEqual([undefined, []]);
  });

  test("decides nothing before the run waits for it, and nothing once it is over or turned back", async () => {
    const early = await waiting();
    early.runs.forge({ ...early.begun, status: "proving" });
    await expect(early.decide(BEN)).rejects.toMatchObject({
      message: expect.stringMatching(/^run-too-early/),
    });
    const over = await waiting();
    await over.runs.end(over.begun, "rolled-back");
    await expect(over.decide(BEN)).rejects.toMatchObject({ message: expect.stringMatching(/^run-ended/) });
    await expect(over.ask("token")).rejects.toMatchObject({ message: expect.stringMatching(/^run-ended/) });
    const back = await waiting();
    await back.runs.turnBack(back.begun);
    await expect(back.decide(BEN)).rejects.toMatchObject({
      message: expect.stringMatching(/^run-turned-back/),
    });
    for (const { decision } of [early, over, back]) expect(await decision()).toBeUndefined();
  });

  test("lets the first decision stand", async () => {
    const { decide, decision } = await waiting();
    await decide(BEN, "reject");
    await expect(decide(session("approver", "eva@example.com"))).rejects.toMatchObject({
      message: expect.stringMatching(/^already-decided/),
    });
    expect(await decision()).toMatchObject({ answer: "rejected", by: BEN });
  });

  test("tells an execution that asks late, or again, and one that was not told because the gate died", async () => {
    const { ask, decide, told, answers } = await waiting();
    const { succeed } = answers;
    answers.succeed = () => Promise.reject(new Error("died"));
    await ask("first");
    await expect(decide(BEN)).rejects.toThrow();
    answers.succeed = succeed;
    await expect(ask("second")).resolves.toEqual({ result: "approved", by: BEN });
    await decide(BEN);
    expect(new Set(told.map(([token]) => token))).toEqual(new Set(["first", "second"]));
  });

  test("has neither proofs nor tokens in its log", async () => {
    const { ask, decide, lines, redaction } = await waiting();
    await ask("a-token-of-an-execution");
    await decide(BEN);
    await expect(decide(session("operator", "eva@example.com"))).rejects.toThrow();
    // Nor would a library's own line have them.
    expect(redaction.redact("token a-token-of-an-execution")).toBe("token [redacted]");
    const text = lines.join("\n");
    expect(text).toContain(BEN);
    expect(text).not.toMatch(/Signature=|AWS4-HMAC|a-token-of-an-execution/);
    for (const { sessionToken = "" } of keys.values())
      expect(text).not.toContain(sessionToken || "no key is without a token");
  });
});

function changeBy(requester: string): NonNullable<NewRun["change"]> {
  return { id: "2026-12-01-payments--stripe", digest: `sha256:${"1".repeat(64)}`, requester };
}
