import type { DispatchedSecret } from "../../../lib/contracts/function-settings";
import type { RunKind } from "../../../lib/contracts/procedure-events";
import type { Run } from "../../../lib/contracts/run";
import { executionName, loadedRun } from "../../../lib/rotation/procedure/loaded-run";

const NAME = "test/payments/stripe";
const OVERLAP = 300_000;
const HAND_OVER = 25_000;

const secret = (handOverSeconds?: number): DispatchedSecret => ({
  key: "payments/stripe",
  kind: "stripe",
  rotation: "operator-assisted",
  supplied: true,
  publishes: true,
  function: "rotate",
  overlapSeconds: OVERLAP,
  ...(handOverSeconds === undefined ? {} : { handOverSeconds }),
  publishLeadSeconds: HAND_OVER,
  restart: [],
  checks: [],
  approval: false,
});

const overlapOf = async (kind: RunKind, handOverSeconds?: number): Promise<number> => {
  const run: Run = {
    secret: NAME,
    run: "run-1",
    kind,
    newVersion: "second",
    oldVersion: "first",
    startedBy: "operator",
    startedAt: new Date(0),
    status: "proving",
    direction: "forward",
  };
  const dispatched = secret(handOverSeconds);
  const { overlapSeconds } = await loadedRun(
    { action: "load", secretName: NAME, run: run.run, execution: executionName(dispatched, run) },
    {
      runs: { read: async () => run },
      settings: {
        registry: "acme",
        environment: "test",
        region: "eu-central-1",
        auditKeyAlias: "alias/acme-test-audit",
        stateMachineArn: "arn:aws:states:eu-central-1:111122223333:stateMachine:acme-test",
        runsTable: "runs",
        changesTable: "changes",
        publicationsTable: "publications",
        changeRequest: "none",
        secrets: { [NAME]: dispatched },
      },
      publications: { confirmedAt: async () => undefined },
      clock: { now: () => new Date(0) },
    },
  );
  return overlapSeconds;
};

test("a run waits for what it ends: the keys by which a target signs end with their promotion", async () => {
  expect(await overlapOf("rotation", HAND_OVER)).toBe(HAND_OVER);
  expect(await overlapOf("promotion", HAND_OVER)).toBe(OVERLAP);
  expect(await overlapOf("retirement", HAND_OVER)).toBe(OVERLAP);
  expect(await overlapOf("rotation")).toBe(OVERLAP);
});
