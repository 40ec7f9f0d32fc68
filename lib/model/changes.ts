import * as z from "zod/mini";
import {
  branchRef,
  claimName,
  githubId,
  gitlabConfig,
  gitlabProject,
  repositoryName,
  workflowRef,
} from "./ci-grammar";
import { oneLine } from "./grammar";
import { issuerUrl } from "./server-grammar";

/** Jobs that may vouch for a change request, by what their CI says of them in a signed token. */
export type ChangesInput = GitHubChangesInput | GitLabChangesInput | OidcChangesInput;

/** Jobs of GitHub Actions. */
export interface GitHubChangesInput {
  readonly provider?: "github";
  /** Issuer of the jobs' tokens. Default: `https://token.actions.githubusercontent.com`. */
  readonly issuer?: string;
  /** `<owner>/<name>` of the repository with the change requests. */
  readonly repository: string;
  /** Protected branch of that repository. Default: `refs/heads/main`. */
  readonly ref?: string;
  /** GitHub's number of the repository, so that no other one that takes its name is believed. Default: any. */
  readonly repositoryId?: string;
  /** GitHub's number of its owner. Default: any. */
  readonly repositoryOwnerId?: string;
  /**
   * The one workflow that may vouch, `<owner>/<name>/.github/workflows/<file>@<ref>`: others of the branch may be changed by
   * more people. Default: any of the branch.
   */
  readonly workflow?: string;
}

/** Jobs of GitLab CI, by their `id_tokens`. */
export interface GitLabChangesInput {
  readonly provider: "gitlab";
  /** Address of the GitLab, which is the issuer of the tokens. Default: `https://gitlab.com`. */
  readonly issuer?: string;
  /** `<group>/<project>` with the change requests, subgroups included. */
  readonly project: string;
  /** Protected branch of that repository. Default: `refs/heads/main`. */
  readonly ref?: string;
  /** GitLab's number of the project, so that no other one that takes its path is believed. Default: any. */
  readonly projectId?: string;
  /** The one pipeline definition that may vouch, as `ci_config_ref_uri` has it. Default: any of the branch. */
  readonly config?: string;
}

/** Jobs of another CI that lets a job choose the audience of its token. */
export interface OidcChangesInput {
  readonly provider: "oidc";
  /** Issuer of the tokens, as their claim `iss` has it. */
  readonly issuer: string;
  /** Address of its keys: `jwks_uri` of `<issuer>/.well-known/openid-configuration`. */
  readonly keySet: string;
  /** Claim `sub` of the one job that may vouch. It has to stand for a protected branch: nothing else says so. */
  readonly subject: string;
  /** Further claims and the one text of each, such as the pipeline's number. Default: none. */
  readonly claims?: Readonly<Record<string, string>>;
}

const MAIN = "refs/heads/main";

/** Run-time schema of {@link ChangesInput}. */
export const changesSchema = z.discriminatedUnion("provider", [
  z.strictObject({
    provider: z._default(z.optional(z.literal("github")), "github"),
    issuer: z._default(issuerUrl, "https://token.actions.githubusercontent.com"),
    repository: repositoryName,
    ref: z._default(branchRef, MAIN),
    repositoryId: z.optional(githubId),
    repositoryOwnerId: z.optional(githubId),
    workflow: z.optional(workflowRef),
  }),
  z.strictObject({
    provider: z.literal("gitlab"),
    issuer: z._default(issuerUrl, "https://gitlab.com"),
    project: gitlabProject,
    ref: z._default(branchRef, MAIN),
    projectId: z.optional(githubId),
    config: z.optional(gitlabConfig),
  }),
  z.strictObject({
    provider: z.literal("oidc"),
    issuer: issuerUrl,
    keySet: issuerUrl,
    subject: oneLine,
    claims: z._default(z.record(claimName, oneLine), {}),
  }),
]);

/** {@link ChangesInput} with every default filled in. */
export type ParsedChanges = z.output<typeof changesSchema>;

/** Jobs that a gate believes, whatever their CI is. */
export interface BelievedJobs {
  readonly issuer: string;
  /** Address of the issuer's public keys. */
  readonly keySet: string;
  /** Texts of which a token has one, by claim: all of them. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
}

/**
 * Jobs by the claims of their tokens. Of those that run for the protected branch only these are among them: what reviewers of
 * the branch have seen, started by what came onto it. Others bear the branch's name too, while what started them, or what they work
 * on, is a stranger's: a comment, a pull request, another pipeline's artifacts, a call of the API, variables of whoever starts it.
 *
 * - https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
 * - https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload
 */
export function believedJobs(changes: ParsedChanges): BelievedJobs {
  const { issuer } = changes;
  switch (changes.provider) {
    case "github":
      return {
        issuer,
        keySet: `${issuer}/.well-known/jwks`,
        claims: {
          repository: [changes.repository],
          ref: [changes.ref],
          ref_protected: ["true"],
          event_name: ["push", "workflow_dispatch"],
          ...optional("repository_id", changes.repositoryId),
          ...optional("repository_owner_id", changes.repositoryOwnerId),
          ...optional("job_workflow_ref", changes.workflow),
        },
      };
    case "gitlab":
      return {
        issuer,
        keySet: `${issuer}/oauth/discovery/keys`,
        claims: {
          project_path: [changes.project],
          ref_path: [changes.ref],
          ref_protected: ["true"],
          pipeline_source: ["push"],
          ...optional("project_id", changes.projectId),
          ...optional("ci_config_ref_uri", changes.config),
        },
      };
    case "oidc":
      return {
        issuer,
        keySet: changes.keySet,
        claims: {
          sub: [changes.subject],
          ...Object.fromEntries(Object.entries(changes.claims).map(([name, text]) => [name, [text]])),
        },
      };
  }
}

const optional = (claim: string, text: string | undefined): Record<string, readonly string[]> =>
  text === undefined ? {} : { [claim]: [text] };

/** Jobs in a few words, for people. */
export function changesSource(changes: ParsedChanges): string {
  switch (changes.provider) {
    case "github":
      return `${changes.repository} ${changes.ref}`;
    case "gitlab":
      return `${changes.project} ${changes.ref} of ${changes.issuer}`;
    case "oidc":
      return `${changes.subject} of ${changes.issuer}`;
  }
}
