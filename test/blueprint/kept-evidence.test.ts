import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type PolicyDocument } from "../../lib/model";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { auditSinks, draft } from "../model/sample";

/**
 * Evidence that stays of a change, against a person who has every right of their own in the account: the policies of the
 * buckets and of the queue of events, evaluated. `rehearsal/records.test.ts` has what an embedded server enforces.
 */
const definition = draft();
definition.environments.prod.audit = { trail: "create", sinks: auditSinks() };
const { audit, procedure, principals, partition, account, functions } = blueprint(
  defineRegistry(definition),
  "prod",
);
if (audit?.trail === undefined || procedure === undefined) throw new Error("no trail");
const { archive, events, normaliser, trail } = audit;
const { records } = procedure;
const recorder = functions.find(({ bundle }) => bundle === "recorder")?.role.arn ?? "";

const ALL: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Sid: "All", Effect: "Allow", Action: ["*"], Resource: ["*"] }],
};
const ADMINISTRATOR = `arn:${partition}:iam::${account}:role/administrator`;
const EVERYBODY = [ADMINISTRATOR, principals.deployer, ...principals.operators, ...principals.breakGlass];

/** Deny statements alone: nobody here lacks a right of their own. */
const refuses = (
  { Version, Statement }: PolicyDocument,
  principal: string,
  action: string,
  resource: string,
  context: Readonly<Record<string, string>> = {},
): boolean =>
  !evaluateAccess(
    { action, resource, principal, context: { "aws:SecureTransport": "true", ...context } },
    {
      identity: [ALL],
      resource: { Version, Statement: Statement.filter(({ Effect }) => Effect === "Deny") },
    },
  ).allowed;

describe.each([
  ["records", records],
  ["the archive of events", archive],
  ["the trail's files", trail.bucket],
] as const)("%s", (_what, bucket) => {
  const object = `arn:${partition}:s3:::${bucket.name}/2026/11/25/one.json`;

  test.each(["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:DeleteObjectVersion"])(
    "nobody writes over or hides what is there by %s",
    (action) => {
      for (const principal of [...EVERYBODY, recorder, normaliser.role.arn])
        expect([principal, refuses(bucket.policy, principal, action, object)]).toEqual([principal, true]);
    },
  );

  test("nobody writes into it but who keeps it", () => {
    const once = { "s3:if-none-match": "*" };
    for (const principal of EVERYBODY)
      expect([principal, refuses(bucket.policy, principal, "s3:PutObject", object, once)]).toEqual([
        principal,
        true,
      ]);
    const [keeper, by] = (
      {
        [records.name]: [recorder, {}],
        [archive.name]: [normaliser.role.arn, {}],
        // CloudTrail itself, for this trail.
        [trail.bucket.name]: [ADMINISTRATOR, { "aws:SourceArn": trail.arn }],
      } as const
    )[bucket.name] ?? ["", {}];
    expect(refuses(bucket.policy, keeper, "s3:PutObject", object, { ...once, ...by })).toBe(false);
  });
});

test.each(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ChangeMessageVisibility"])(
  "nobody but the normaliser takes an event out of its queue by %s",
  (action) => {
    const policy = events.policy as PolicyDocument;
    for (const principal of EVERYBODY)
      expect([principal, refuses(policy, principal, action, events.arn)]).toEqual([principal, true]);
    expect(refuses(policy, normaliser.role.arn, action, events.arn)).toBe(false);
  },
);
