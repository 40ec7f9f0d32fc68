import type { PolicyDocument, PolicyStatement } from "../../../../lib/model";
import { evaluateAccess, matchesWildcard } from "../evaluator";
import type { CallRecord } from "./call-log";

/**
 * Way in which a right was seen in use. `enforced`: the embedded AWS asked IAM. `implied`: AWS asks for it on behalf of a call
 * that was made (KMS under a secret), the embedded AWS does not. `service`: AWS itself uses it under the role, so no
 * function's run can show it. `none`: nothing used it.
 */
export type RightProof = "enforced" | "implied" | "service" | "none";

/** One action of one statement. */
export interface RightUse {
  /** Of the statement. */
  readonly sid: string;
  readonly action: string;
  /** Calls that the statement allowed; none for `service`. */
  readonly uses: number;
  readonly proof: RightProof;
}

/** Action of a role that its policies do not allow. */
export interface MissingRight {
  readonly action: string;
  readonly resource: string;
  readonly calls: number;
}

/** A role's rights held against what it did. */
export interface UsedRights {
  /** Every action of every Allow statement, in the order of the policies. */
  readonly rights: readonly RightUse[];
  /** Those that nothing used. */
  readonly unused: readonly RightUse[];
  readonly missing: readonly MissingRight[];
}

/**
 * Actions of Lambda under a function's role: its log, its network interfaces, its dead letters.
 *
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
 */
const BY_SERVICE = [
  "logs:CreateLogGroup",
  "logs:CreateLogStream",
  "logs:PutLogEvents",
  "ec2:*NetworkInterface*",
  "ec2:*PrivateIpAddresses",
  "ec2:DescribeSubnets",
  "ec2:DescribeVpcs",
  "ec2:DescribeSecurityGroups",
  "sqs:SendMessage",
  "xray:PutTraceSegments",
  "xray:PutTelemetryRecords",
];

/**
 * Least privilege by use: which rights of a role its calls used, which they did not, and which they lacked.
 * Calls that a fault on order answered count for nothing.
 *
 * @param records calls of the role alone
 * @throws UnknownPolicyGrammarError for a policy that the evaluator does not know
 */
export function usedRights(policies: readonly PolicyDocument[], records: readonly CallRecord[]): UsedRights {
  const made = records.filter(({ injected }) => !injected);
  const rights = policies
    .flatMap(({ Statement }) => Statement)
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap((statement) => statement.Action.map((action) => useOf(statement, action, made)));
  return {
    rights,
    unused: rights.filter(({ proof }) => proof === "none"),
    missing: missingOf(policies, made),
  };
}

function useOf(statement: PolicyStatement, action: string, records: readonly CallRecord[]): RightUse {
  const alone: PolicyDocument = { Version: "2012-10-17", Statement: [{ ...statement, Action: [action] }] };
  const used = records.filter((record) => record.outcome !== "denied" && allows([alone], record));
  const { Sid: sid } = statement;
  if (used.length > 0) {
    const isEnforced = used.some(({ outcome }) => outcome !== "implied");
    return { sid, action, uses: used.length, proof: isEnforced ? "enforced" : "implied" };
  }
  return { sid, action, uses: 0, proof: isByService(statement, action) ? "service" : "none" };
}

function isByService({ Condition }: PolicyStatement, action: string): boolean {
  if (BY_SERVICE.some((pattern) => matchesWildcard(pattern, action))) return true;
  // Keys of queues, topics and logs; those of secrets are asked for on behalf of a call that is recorded.
  const services = Condition?.StringEquals?.["kms:ViaService"] ?? [];
  return services.length > 0 && services.every((service) => !service.startsWith("secretsmanager."));
}

function allows(policies: readonly PolicyDocument[], record: CallRecord): boolean {
  const { action, resource, principal, context } = record;
  return evaluateAccess({ action, resource, principal, context }, { identity: policies }).allowed;
}

/** Rights that were denied, and those that AWS would have asked for besides and the policies do not allow. */
function missingOf(
  policies: readonly PolicyDocument[],
  records: readonly CallRecord[],
): readonly MissingRight[] {
  const lacking = records.filter(
    (record) => record.outcome === "denied" || (record.outcome === "implied" && !allows(policies, record)),
  );
  const counts = new Map<string, MissingRight>();
  for (const { action, resource } of lacking) {
    const key = `${action} ${resource}`;
    counts.set(key, { action, resource, calls: (counts.get(key)?.calls ?? 0) + 1 });
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, missing]) => missing);
}
