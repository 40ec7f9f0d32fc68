import type { Environment } from "../../model";
import type { ParsedChanges } from "../../model/changes";
import type { PolicyDocument } from "../../model/policy-document";
import { STS_AUDIENCE } from "../../model/trust-policy";
import { oidcProviderArn } from "../platform/aws-arns";

/**
 * Trust of CI's role (`principals.ci`), by which only jobs that may vouch take it. AWS knows `aud` and `sub` of every issuer, and
 * further claims of few: of GitHub's tokens `repository`, `repository_id`, `ref` and `job_workflow_ref` among others, of GitLab's none.
 * The event, the branch's protection and whatever else AWS does not know is looked at by the change gate alone.
 *
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 * - https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
 */
export function ciTrust(environment: Environment, changes: ParsedChanges): PolicyDocument {
  const place = changes.issuer.replace(/^https:\/\//, "");
  const key = (claim: string): string => `${place}:${claim}`;
  const exactly = (claims: Readonly<Record<string, string | undefined>>): Record<string, readonly string[]> =>
    Object.fromEntries(
      Object.entries(claims).flatMap(([claim, text]) => (text === undefined ? [] : [[key(claim), [text]]])),
    );
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Jobs",
        Effect: "Allow",
        Principal: { Federated: oidcProviderArn(environment, changes.issuer) },
        Action: ["sts:AssumeRoleWithWebIdentity"],
        Condition: conditionOf(changes, key, exactly),
      },
    ],
  };
}

function conditionOf(
  changes: ParsedChanges,
  key: (claim: string) => string,
  exactly: (claims: Readonly<Record<string, string | undefined>>) => Record<string, readonly string[]>,
): NonNullable<PolicyDocument["Statement"][number]["Condition"]> {
  switch (changes.provider) {
    case "github": {
      const [owner = "", name = ""] = changes.repository.split("/");
      const { repositoryOwnerId = "*", repositoryId = "*" } = changes;
      return {
        StringEquals: exactly({
          aud: STS_AUDIENCE,
          repository: changes.repository,
          ref: changes.ref,
          repository_id: changes.repositoryId,
          job_workflow_ref: changes.workflow,
        }),
        // AWS wants it looked at for this issuer. Repositories since July 2026 have numbers in it:
        // https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
        StringLike: {
          [key("sub")]: [
            `repo:${changes.repository}:ref:${changes.ref}`,
            `repo:${owner}@${repositoryOwnerId}/${name}@${repositoryId}:ref:${changes.ref}`,
          ],
        },
      };
    }
    case "gitlab":
      return {
        StringEquals: exactly({
          aud: STS_AUDIENCE,
          // https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload
          sub: `project_path:${changes.project}:ref_type:branch:ref:${changes.ref.replace("refs/heads/", "")}`,
        }),
      };
    case "oidc":
      return { StringEquals: exactly({ aud: STS_AUDIENCE, sub: changes.subject }) };
  }
}
