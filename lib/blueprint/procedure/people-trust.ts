import type { Environment } from "../../model";
import type { PolicyDocument, PolicyStatement } from "../../model/policy-document";

/**
 * Trust of a role of people, by which nobody else's name can stand in a session's ARN, as STS gives it to the dispatcher and to
 * the approval gate. One statement for each way that people come; what is not needed is to be deleted.
 *
 * A statement whose variable has no value in a request does not hold ("the whole statement might be invalid"):
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 *
 * Who may take the role is said by what they are allowed (`sts:AssumeRole` on it), as for every trust in the account's root.
 */
export function peopleTrust({ partition, account }: Environment): PolicyDocument {
  const named = (Sid: string, variable: string): PolicyStatement => ({
    Sid,
    Effect: "Allow",
    Principal: { AWS: `arn:${partition}:iam::${account}:root` },
    Action: ["sts:AssumeRole"],
    Condition: { StringEquals: { "sts:RoleSessionName": [variable] } },
  });
  return {
    Version: "2012-10-17",
    Statement: [
      // https://aws.amazon.com/blogs/security/easily-control-naming-individual-iam-role-sessions
      named("Users", "${aws:username}"),
      // Set once, by an identity provider or by the first role of a chain, and never changed:
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
      named("Chained", "${aws:SourceIdentity}"),
    ],
  };
}
