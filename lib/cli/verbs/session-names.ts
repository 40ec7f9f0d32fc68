import * as z from "zod/mini";
import type { Registry } from "../../model";
import { isUnanswered, type PreflightCloud } from "../cloud/preflight-cloud";
import type { PreflightCheck } from "./preflight-check";

const texts = z.union([
  z.array(z.string()),
  z.pipe(
    z.string(),
    z.transform((text) => [text]),
  ),
]);
const statementSchema = z.object({
  Sid: z.optional(z.string()),
  Effect: z.string(),
  Action: z.optional(texts),
  Condition: z.optional(z.record(z.string(), z.record(z.string(), texts))),
});
const trustSchema = z.object({
  Statement: z.union([
    z.array(statementSchema),
    z.pipe(
      statementSchema,
      z.transform((statement) => [statement]),
    ),
  ]),
});

type TrustStatement = z.output<typeof statementSchema>;

/**
 * Actions by which whoever comes names the session. With SAML the identity provider does.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */
const NAMED_BY_CALLER = /^(\*|sts:\*|sts:assumerole\*?|sts:assumerolewithwebidentity)$/i;
/** Negated operators and those that hold where the key is missing pin nothing. */
const PINNING = /^String(Equals|EqualsIgnoreCase|Like)$/;
/** One variable and nothing beside it: `${aws:username}`. A list of names would let one person take another's. */
const VARIABLE = /^\$\{[^{}*?, ]+\}$/;
/** AWS's own trust, in which a session bears the user's name. */
const IDENTITY_CENTER = /:role\/aws-reserved\/sso\.amazonaws\.com\//;

/**
 * Ways into a role by which whoever comes chooses the session's name: identifiers of statements.
 *
 * @param trust the role's trust policy, as IAM gives it
 */
export function freelyNamed(trust: unknown): readonly string[] {
  const read = trustSchema.safeParse(trust);
  if (!read.success) return ["a form that is not read"];
  return read.data.Statement.flatMap((statement, index) =>
    isNamedByCaller(statement) && !isPinned(statement) ? [statement.Sid ?? `statement ${index + 1}`] : [],
  );
}

const isNamedByCaller = ({ Effect, Action }: TrustStatement): boolean =>
  Effect === "Allow" && (Action === undefined || Action.some((action) => NAMED_BY_CALLER.test(action)));

const isPinned = ({ Condition = {} }: TrustStatement): boolean =>
  Object.entries(Condition).some(
    ([operator, keys]) =>
      PINNING.test(operator) &&
      Object.entries(keys).some(
        ([key, values]) =>
          key.toLowerCase() === "sts:rolesessionname" && values.every((value) => VARIABLE.test(value)),
      ),
  );

/**
 * Checks that people's sessions bear their holders' names, by which requester and approver are distinguished. Users have
 * theirs anyhow.
 */
export async function sessionNameChecks(
  registry: Registry,
  environment: string,
  cloud: PreflightCloud,
): Promise<readonly PreflightCheck[]> {
  const { principals, approval } = registry.environment(environment);
  const named = [
    ["operators", principals.operators],
    ["approvers", principals.approvers],
    ["break-glass", principals.breakGlass],
  ] as const;
  const checks = named.flatMap(([who, arns]) =>
    arns
      .filter((arn) => arn.includes(":role/") && !IDENTITY_CENTER.test(arn))
      .map(async (arn): Promise<readonly PreflightCheck[]> => {
        const check = `session names of ${who}`;
        const trust = await cloud.trustOf(arn);
        if (isUnanswered(trust)) {
          return [{ check, state: "unknown", found: trust.unanswered, change: "ask with iam:GetRole" }];
        }
        // That there is none is another check's to say.
        if (trust === undefined) return [];
        const free = freelyNamed(trust.document);
        if (free.length === 0) return [{ check, state: "ok", found: arn, change: "" }];
        return [
          {
            check,
            state: approval === "required" ? "missing" : "advice",
            found: `${arn} takes any name (${free.join(", ")})`,
            change:
              "pin sts:RoleSessionName in its trust, as policies/operator-trust.json does: by another name one can approve one's own run",
          },
        ];
      }),
  );
  return (await Promise.all(checks)).flat();
}
