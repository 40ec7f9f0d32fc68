import { type FaultCase, testFaults } from "./fault-case";

/** Faults of principals, approvals and changes: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "nobody who supplies what people supply",
    change: (d) => {
      delete d.environments.prod.principals.operators;
    },
    ways: [
      (d) => {
        d.environments.prod.principals.operators = ["arn:aws:iam::444455556666:role/operator"];
      },
    ],
    faults: [
      {
        path: "environments.prod.principals.operators",
        found: "none, and people rotate admin/db and 1 more, or supply the value",
        allowed: "at least one role that does",
        change: "name the operators' role, as they take it in the environment's account",
      },
    ],
  },
  {
    name: "a principal that is no ARN",
    change: (d) => {
      d.environments.dev.principals.deployer = "deployer";
    },
    faults: [
      {
        path: "environments.dev.principals.deployer",
        found: '"deployer"',
        allowed:
          "the ARN of one IAM role or user, such as arn:aws:iam::111122223333:role/deployer, without wildcards",
        change: "name the role or user itself; an SSO role has a fixed ARN in each account",
      },
    ],
  },
  {
    name: "a principal with a wildcard",
    change: (d) => {
      d.environments.dev.principals.operators = ["arn:aws:iam::111122223333:role/*"];
    },
    ways: [
      (d) => {
        d.environments.dev.principals.operators = ["arn:aws:iam::111122223333:role/operator"];
      },
    ],
    faults: [
      {
        path: "environments.dev.principals.operators[0]",
        found: '"arn:aws:iam::111122223333:role/*"',
        allowed:
          "the ARN of one IAM role or user, such as arn:aws:iam::111122223333:role/deployer, without wildcards",
        change: "name the role or user itself; an SSO role has a fixed ARN in each account",
      },
    ],
  },
  {
    name: "a principal of another account",
    change: (d) => {
      d.environments.dev.principals.operators = ["arn:aws:iam::999999999999:role/operator"];
    },
    ways: [
      (d) => {
        d.environments.dev.principals.operators = ["arn:aws:iam::111122223333:role/operator"];
      },
    ],
    faults: [
      {
        path: "environments.dev.principals.operators[0]",
        found: "a principal of account 999999999999 in partition aws",
        allowed: "principals of the environment's account 111122223333 in partition aws",
        change: "name the role that is taken in that account",
      },
    ],
  },
  {
    name: "a deployer who is an operator",
    change: (d) => {
      d.environments.dev.principals.operators = [d.environments.dev.principals.deployer];
    },
    ways: [
      (d) => {
        d.environments.dev.principals.operators = ["arn:aws:iam::111122223333:role/on-call"];
      },
    ],
    faults: [
      {
        path: "environments.dev.principals.operators[0]",
        found: "arn:aws:iam::111122223333:role/deployer, which is the deployer",
        allowed: "roles other than the deployer: it deploys everything and reads no value",
        change: "use a role of its own",
      },
    ],
  },
  {
    name: "a deployer bound by names alone, in a Vault without a namespace",
    change: (d) => {
      d.environments.dev.vaults[0].deployer = "names";
    },
    ways: [
      (d) => {
        d.environments.dev.vaults[0].namespace = "dev";
      },
      (d) => {
        delete d.environments.dev.vaults[0].deployer;
      },
    ],
    faults: [
      {
        path: "environments.dev.vaults[0].deployer",
        found: '"names", in a Vault without a namespace',
        allowed:
          '"contents", or a namespace of this environment alone: whoever holds this policy can give itself everything there',
        change: "give the environment a namespace of its own, or leave `deployer` out",
      },
    ],
  },
  {
    name: "a deployer bound by names alone, in a namespace of two environments",
    change: (d) => {
      for (const name of ["dev", "prod"])
        Object.assign(d.environments[name].vaults[0], {
          address: "https://vault.example.com",
          namespace: "acme",
        });
      d.environments.prod.vaultAuth = "jwt";
      d.environments.dev.vaults[0].deployer = "names";
    },
    ways: [
      (d) => {
        d.environments.dev.vaults[0].namespace = "acme/dev";
      },
      (d) => {
        delete d.environments.dev.vaults[0].deployer;
      },
    ],
    faults: [
      {
        path: "environments.dev.vaults[0].deployer",
        found: '"names", in a namespace that is also of prod',
        allowed:
          '"contents", or a namespace of this environment alone: whoever holds this policy can give itself everything there',
        change: "give the environment a namespace of its own, or leave `deployer` out",
      },
    ],
  },
  {
    name: "a deployer who approves",
    change: (d) => {
      d.environments.dev.principals.approvers = [d.environments.dev.principals.deployer];
    },
    faults: [
      {
        path: "environments.dev.principals.approvers[0]",
        found: "arn:aws:iam::111122223333:role/deployer, which is the deployer",
        allowed: "approvers other than the deployer: nobody approves a change of their own",
        change: "use a role of its own",
      },
    ],
    ways: [
      (d) => {
        d.environments.dev.principals.approvers = ["arn:aws:iam::111122223333:role/approver"];
      },
    ],
  },
  {
    name: "jobs that vouch for changes without a role",
    change: (d) => {
      d.environments.dev.changes = { repository: "acme/infrastructure" };
    },
    ways: [
      (d) => {
        d.environments.dev.principals.ci = "arn:aws:iam::111122223333:role/ci";
      },
      (d) => {
        delete d.environments.dev.changes;
      },
    ],
    faults: [
      {
        path: "environments.dev.principals.ci",
        found: "none, and `changes` says which jobs vouch for change requests",
        allowed: "the role that those jobs take",
        change: "name it, or leave `changes` out",
      },
    ],
  },
  {
    name: "change requests that are required, and nobody who could vouch for one",
    change: (d) => {
      d.environments.dev.changeRequest = "required";
    },
    ways: [
      (d) => {
        d.environments.dev.changeRequest = "none";
      },
      (d) => {
        d.environments.dev.changes = { repository: "acme/infrastructure" };
        d.environments.dev.principals.ci = "arn:aws:iam::111122223333:role/ci";
      },
    ],
    faults: [
      {
        path: "environments.dev.changes",
        found:
          "nothing, and `changeRequest` is required: nobody can vouch for one, so people can start no rotation",
        allowed:
          "the repository whose jobs vouch for change requests, and in principals.ci the role that they take",
        change: 'name both, or set `changeRequest` to "none"',
      },
    ],
  },
  {
    name: "a role that vouches for changes, and is an operator's",
    change: (d) => {
      d.environments.dev.changes = { repository: "acme/infrastructure" };
      d.environments.dev.principals.operators = ["arn:aws:iam::111122223333:role/operator"];
      d.environments.dev.principals.ci = "arn:aws:iam::111122223333:role/operator";
    },
    faults: [
      {
        path: "environments.dev.principals.ci",
        found: "arn:aws:iam::111122223333:role/operator, which is an operator or an approver",
        allowed: "a role that only vouches for change requests",
        change: "use a role of its own: nobody vouches for a change of their own",
      },
    ],
    ways: [
      (d) => {
        d.environments.dev.principals.ci = "arn:aws:iam::111122223333:role/ci";
      },
    ],
  },
  {
    name: "changes on something that is no branch",
    change: (d) => {
      d.environments.dev.changes = { repository: "infrastructure", ref: "main" };
      d.environments.dev.principals.ci = "arn:aws:iam::111122223333:role/ci";
    },
    faults: [
      {
        path: "environments.dev.changes.ref",
        found: '"main"',
        allowed: "a branch: refs/heads/main",
        change: "name the branch with refs/heads/ before it",
      },
      {
        path: "environments.dev.changes.repository",
        found: '"infrastructure"',
        allowed: "<owner>/<name> of a repository: acme/infrastructure",
        change: "write it as the repository's address has it",
      },
    ],
    ways: [
      (d) => {
        Object.assign(d.environments.dev.changes, {
          repository: "acme/infrastructure",
          ref: "refs/heads/main",
        });
      },
    ],
  },
  {
    name: "jobs of another CI that are named as none of its are",
    change: (d) => {
      d.environments.dev.principals.ci = "arn:aws:iam::111122223333:role/ci";
      d.environments.dev.changes = {
        provider: "gitlab",
        project: "infrastructure",
        ref: "main",
        projectId: "x",
        config: ".gitlab-ci.yml",
      };
    },
    faults: [
      {
        path: "environments.dev.changes.config",
        found: '".gitlab-ci.yml"',
        allowed:
          "a pipeline's file at a branch: gitlab.com/acme/infrastructure//.gitlab-ci.yml@refs/heads/main",
        change: "write ci_config_ref_uri as the job's token has it",
      },
      {
        path: "environments.dev.changes.project",
        found: '"infrastructure"',
        allowed: "<group>/<project>, subgroups included: acme/platform/infrastructure",
        change: "write project_path as a job's token has it",
      },
      {
        path: "environments.dev.changes.projectId",
        found: '"x"',
        allowed: "a number as digits: 123456789",
        change: "take repository_id, repository_owner_id or (GitLab) project_id of a job's token",
      },
      {
        path: "environments.dev.changes.ref",
        found: '"main"',
        allowed: "a branch: refs/heads/main",
        change: "name the branch with refs/heads/ before it",
      },
    ],
    ways: [
      (d) => {
        Object.assign(d.environments.dev.changes, {
          project: "acme/platform/infrastructure",
          ref: "refs/heads/main",
          projectId: "123456789",
          config: "gitlab.com/acme/infrastructure//.gitlab-ci.yml@refs/heads/main",
        });
      },
    ],
  },
  {
    name: "an approver who operates",
    change: (d) => {
      d.environments.dev.principals.approvers = d.environments.dev.principals.operators;
    },
    ways: [
      (d) => {
        d.environments.dev.principals.approvers = ["arn:aws:iam::111122223333:role/lead"];
      },
    ],
    faults: [
      {
        path: "environments.dev.principals.approvers[0]",
        found: "arn:aws:iam::111122223333:role/operator, which is an operator",
        allowed: "approvers who run no rotations: an approver is never the requester",
        change: "use a role of its own",
      },
    ],
  },
  {
    name: "a permissions boundary that is no policy",
    change: (d) => {
      d.environments.dev.permissionsBoundary = "arn:aws:iam::111122223333:role/x";
    },
    faults: [
      {
        path: "environments.dev.permissionsBoundary",
        found: '"arn:aws:iam::111122223333:role/x"',
        allowed: "the ARN of an IAM policy, such as arn:aws:iam::111122223333:policy/boundary",
        change: "name the policy by its ARN",
      },
    ],
  },
  {
    name: "a permissions boundary of another account",
    change: (d) => {
      d.environments.dev.permissionsBoundary = "arn:aws:iam::999999999999:policy/boundary";
    },
    ways: [
      (d) => {
        d.environments.dev.permissionsBoundary = "arn:aws:iam::111122223333:policy/boundary";
      },
    ],
    faults: [
      {
        path: "environments.dev.permissionsBoundary",
        found: "a policy of account 999999999999",
        allowed: "a policy of the environment's account 111122223333, or of AWS",
        change: "name the boundary as that account has it",
      },
    ],
  },
  {
    name: "a role path without slashes",
    change: (d) => {
      d.environments.dev.rolePath = "secrets";
    },
    ways: [
      (d) => {
        d.environments.dev.rolePath = "/secrets/";
      },
    ],
    faults: [
      {
        path: "environments.dev.rolePath",
        found: '"secrets"',
        allowed: "an IAM path that begins and ends with /, such as /secrets/prod/",
        change: "begin and end the path with a slash",
      },
    ],
  },
  {
    name: "a production environment that nobody may approve in",
    change: (d) => {
      delete d.environments.prod.principals.approvers;
    },
    ways: [
      (d) => {
        d.environments.prod.principals.approvers = ["arn:aws:iam::444455556666:role/lead"];
      },
      (d) => {
        d.environments.prod.approval = "none";
      },
    ],
    faults: [
      {
        path: "environments.prod.principals.approvers",
        found: "none, and production asks for approval before an old credential goes",
        allowed: "at least one role that approves",
        change: 'name the approvers\' role, or set environments.prod.approval to "none"',
      },
    ],
  },
  {
    name: "an approval that nobody may give",
    change: (d) => {
      d.environments.dev.approval = "required";
      d.environments.dev.principals.approvers = [];
    },
    ways: [
      (d) => {
        d.environments.dev.principals.approvers = ["arn:aws:iam::111122223333:role/lead"];
      },
      (d) => {
        d.environments.dev.approval = "none";
      },
    ],
    faults: [
      {
        path: "environments.dev.principals.approvers",
        found: "none, and `approval` is required before an old credential goes",
        allowed: "at least one role that approves",
        change: 'name the approvers\' role, or set environments.dev.approval to "none"',
      },
    ],
  },
  {
    name: "a change request that is neither required nor not",
    change: (d) => {
      d.environments.dev.changeRequest = true;
    },
    ways: [
      (d) => {
        d.environments.dev.changeRequest = "none";
      },
    ],
    faults: [
      {
        path: "environments.dev.changeRequest",
        found: "true",
        allowed: "one of required, none",
        change: "choose one of them",
      },
    ],
  },
];

testFaults(CASES);
