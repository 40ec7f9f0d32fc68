import type { PolicyDocument, PolicyStatement } from "../../lib/model";
import { type CallRecord, usedRights } from "../../packages/rehearsal/src/shim";

const ROLE = "arn:aws:iam::111122223333:role/registry/dev/hmac-key";
const SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:dev/a-AbCdEf";
const KEY = "arn:aws:kms:eu-central-1:111122223333:key/1";

const call = (action: string, change: Partial<CallRecord> = {}): CallRecord => ({
  at: new Date(0),
  principal: ROLE,
  action,
  region: "eu-central-1",
  resource: SECRET,
  outcome: "allowed",
  context: { "aws:RequestedRegion": "eu-central-1" },
  injected: false,
  requestId: "1",
  ...change,
});

const policy = (...Statement: readonly PolicyStatement[]): readonly PolicyDocument[] => [
  { Version: "2012-10-17", Statement },
];

const read = (change: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Sid: "Read",
  Effect: "Allow",
  Action: ["secretsmanager:GetSecretValue"],
  Resource: ["arn:aws:secretsmanager:*:111122223333:secret:dev/a-??????"],
  ...change,
});

const decrypt = (context: string): PolicyStatement => ({
  Sid: "Key",
  Effect: "Allow",
  Action: ["kms:Decrypt"],
  Resource: [KEY],
  Condition: { StringLike: { "kms:EncryptionContext:SecretARN": [context] } },
});

const implied = call("kms:Decrypt", {
  resource: KEY,
  outcome: "implied",
  context: { "kms:EncryptionContext:SecretARN": SECRET },
});

const GET = "secretsmanager:GetSecretValue";

/** Policies, calls, and: uses by statement, with their proof; missing rights. */
const CASES: readonly (readonly [
  what: string,
  policies: readonly PolicyDocument[],
  calls: readonly CallRecord[],
  rights: readonly string[],
  missing: readonly string[],
])[] = [
  ["counts what a statement allowed", policy(read()), [call(GET), call(GET)], ["Read 2 enforced"], []],
  [
    "counts an error after IAM",
    policy(read()),
    [call(GET, { outcome: "ResourceNotFoundException" })],
    ["Read 1 enforced"],
    [],
  ],
  [
    "leaves out what a fault answered",
    policy(read()),
    [call(GET, { outcome: "ThrottlingException", injected: true })],
    ["Read 0 none"],
    [],
  ],
  [
    "finds a right for another secret unused",
    policy(read({ Resource: [`${SECRET}x`] })),
    [call(GET)],
    ["Read 0 none"],
    [],
  ],
  [
    "finds a right for another region unused",
    policy(read({ Condition: { StringEquals: { "aws:RequestedRegion": ["us-east-1"] } } })),
    [call(GET)],
    ["Read 0 none"],
    [],
  ],
  [
    "splits a statement by action",
    policy(read({ Action: [GET, "secretsmanager:PutSecretValue"] })),
    [call(GET)],
    ["Read 1 enforced", "Read 0 none"],
    [],
  ],
  [
    "names what was denied",
    policy(read()),
    [call("secretsmanager:DeleteSecret", { outcome: "denied" })],
    ["Read 0 none"],
    [`secretsmanager:DeleteSecret ${SECRET} 1`],
  ],
  ["takes what AWS asks for besides", policy(decrypt("*:secret:dev/*")), [implied], ["Key 1 implied"], []],
  [
    "names what AWS would refuse besides",
    policy(decrypt("*:secret:prod/*")),
    [implied],
    ["Key 0 none"],
    [`kms:Decrypt ${KEY} 1`],
  ],
  [
    "leaves Lambda's own rights to Lambda",
    policy(read({ Sid: "Log", Action: ["logs:PutLogEvents"], Resource: ["*"] })),
    [],
    ["Log 0 service"],
    [],
  ],
  [
    "leaves keys of queues to Lambda",
    policy({
      ...decrypt("*"),
      Condition: {
        StringEquals: { "kms:ViaService": ["sqs.eu-central-1.amazonaws.com"] },
        "ForAnyValue:StringEquals": { "kms:ResourceAliases": ["alias/operations"] },
      },
    }),
    [implied],
    ["Key 0 service"],
    [`kms:Decrypt ${KEY} 1`],
  ],
  [
    "tells an audience from another",
    policy(
      ...["vault-dev", "vault-prod"].map((audience) => ({
        Sid: audience,
        Effect: "Allow" as const,
        Action: ["sts:GetWebIdentityToken"],
        Resource: ["*"],
        Condition: { "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": [audience] } },
      })),
    ),
    [
      call("sts:GetWebIdentityToken", {
        resource: "*",
        context: { "sts:IdentityTokenAudience": "vault-dev" },
      }),
    ],
    ["vault-dev 1 enforced", "vault-prod 0 none"],
    [],
  ],
  ["counts no denying statement", policy(read({ Effect: "Deny" })), [], [], []],
];

test.each(CASES)("%s", (_what, policies, calls, rights, missing) => {
  const used = usedRights(policies, calls);
  expect(used.rights.map(({ sid, uses, proof }) => `${sid} ${uses} ${proof}`)).toEqual(rights);
  expect(used.missing.map(({ action, resource, calls }) => `${action} ${resource} ${calls}`)).toEqual(
    missing,
  );
  expect(used.unused).toEqual(used.rights.filter(({ proof }) => proof === "none"));
});
