import { form, matches } from "./text-grammar";

/** Forms of what tokens of pipelines claim. */

/** Number by which GitHub knows a repository or an owner; names can be given away and taken by others. */
export const githubId = form(matches(/^[1-9][0-9]{0,19}$/), {
  allowed: "a number as digits: 123456789",
  change: "take repository_id, repository_owner_id or (GitLab) project_id of a job's token",
});

/** A workflow's file and where it is taken from, as `job_workflow_ref` has it. */
export const workflowRef = form(
  matches(
    /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}\/\.github\/workflows\/[A-Za-z0-9._-]+\.ya?ml@\S+$/,
  ),
  {
    allowed: "a workflow's file at a branch: acme/infrastructure/.github/workflows/vouch.yml@refs/heads/main",
    change: "write job_workflow_ref as the job's token has it",
  },
);

/** Owner and name of a repository of GitHub. */
export const repositoryName = form(matches(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/), {
  allowed: "<owner>/<name> of a repository: acme/infrastructure",
  change: "write it as the repository's address has it",
});

/** Path of a project of GitLab, with its groups. */
export const gitlabProject = form(
  matches(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_.][A-Za-z0-9_.-]*){1,20}$/),
  {
    allowed: "<group>/<project>, subgroups included: acme/platform/infrastructure",
    change: "write project_path as a job's token has it",
  },
);

/** A pipeline's definition and where it is taken from, as GitLab's `ci_config_ref_uri` has it. */
export const gitlabConfig = form(matches(/^[^\s/@]+\/[^\s@]+\/\/[^\s@]+@\S+$/), {
  allowed: "a pipeline's file at a branch: gitlab.com/acme/infrastructure//.gitlab-ci.yml@refs/heads/main",
  change: "write ci_config_ref_uri as the job's token has it",
});

/** Claims that say what else a gate checks by itself. */
const OWN_CLAIMS: readonly string[] = ["iss", "aud", "exp", "iat", "nbf", "jti", "sub"];

/** Name of a claim of a token. */
export const claimName = form(
  (value) => /^[A-Za-z][\w:./-]{0,99}$/.test(value) && !OWN_CLAIMS.includes(value),
  {
    allowed: "the name of a claim, such as pipeline_id; not iss, sub, aud or a time: the gate checks those",
    change: "name a claim that the job's tokens have",
  },
);

/** A branch as git refers to it. */
export const branchRef = form(matches(/^refs\/heads\/[A-Za-z0-9._/-]{1,200}$/), {
  allowed: "a branch: refs/heads/main",
  change: "name the branch with refs/heads/ before it",
});
