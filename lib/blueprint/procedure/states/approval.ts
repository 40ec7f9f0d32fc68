import { caught, jsonata, PASSING, phaseDone, phaseFailed, SERVICE_RETRY, type State } from "./language";
import type { Tasks } from "./tasks";

/** Retries before an approver is asked: minutes, since nobody waits for the run to go back. */
const ASKED_AGAIN = { IntervalSeconds: 5, MaxAttempts: 5, BackoffRate: 2 };
/** Catch for a request that reached nobody. */
const notAnnounced = (state: string) => {
  const { Assign, ...rest } = caught(state, ["States.ALL"], "NotApproved");
  return { ...rest, Assign: { ...Assign, since: jsonata("$now()") } };
};

/** A person agrees that the old credential is retired. */
export const approvalStates = ({
  parts,
  invoke,
  integration,
  publish,
}: Tasks): Readonly<Record<string, State>> => ({
  // From here on the gate takes decisions.
  AnnounceApproval: invoke(
    parts.recorder,
    { Secret: jsonata("$run.secret"), Run: jsonata("$run.run"), Status: "awaiting-approval" },
    {
      Assign: { since: jsonata("$now()") },
      Retry: [SERVICE_RETRY, { ...ASKED_AGAIN, ErrorEquals: PASSING }],
      Catch: [notAnnounced("AnnounceApproval")],
      Next: "RequestApproval",
    },
  ),
  RequestApproval: publish(
    parts.approvalTopicArn,
    `'[${parts.environment}] Approve: ' & $run.key`,
    `{'environment': '${parts.environment}', 'secret': $run.key, 'run': $run.run, 'kind': $run.kind, 'newVersion': $run.newVersion, 'oldVersion': $oldVersion, 'asks': 'May the old credential be retired? The new one is in use and was proved twice.', 'answer': 'secrets-registry approve ' & $run.run & ' --env ${parts.environment}, with this message as its input'}`,
    {
      Catch: [notAnnounced("RequestApproval")],
      Next: "AwaitApproval",
    },
  ),
  // The token goes to the gate, which alone may answer.
  AwaitApproval: {
    Type: "Task",
    Resource: integration("lambda:invoke.waitForTaskToken"),
    Arguments: {
      FunctionName: parts.approvalGate,
      Payload: {
        Action: "ask",
        Secret: jsonata("$run.secret"),
        Run: jsonata("$run.run"),
        Token: jsonata("$states.context.Task.Token"),
      },
    },
    TimeoutSeconds: parts.approvalSeconds,
    Assign: { phases: jsonata(phaseDone("approve")) },
    Retry: [SERVICE_RETRY, { ...ASKED_AGAIN, ErrorEquals: PASSING }],
    Catch: [caught("AwaitApproval", ["States.ALL"], "NotApproved")],
    Next: "BeginDecommission",
  },
  // What nobody vouched for does not stay: the old credential is alive. A leaked one does not come back for that.
  NotApproved: {
    Type: "Pass",
    Assign: { phases: jsonata(phaseFailed("approve")) },
    Next: "Leaked?",
  },
  "Leaked?": {
    Type: "Choice",
    Choices: [{ Condition: jsonata("$run.emergency"), Assign: { outcome: "failed" }, Next: "Page" }],
    Default: "Roll back?",
  },
});
