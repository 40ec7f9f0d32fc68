import {
  days,
  defineRegistry,
  type Fault,
  formatFault,
  hours,
  mergeSecrets,
  minutes,
  RegistryError,
  seconds,
} from "../../lib/model";
import { type Draft, draft, genericPassword, redisToken, s3Key, vaultDatabase } from "./sample";

const generic = (settings: Draft): Draft => ({ ...genericPassword(), settings });
const assisted = (settings: Draft): Draft => ({ ...generic(settings), rotation: "operator-assisted" });
const httpCheck = (more: Draft = {}): Draft => ({
  how: "http",
  url: "https://api.example.com/account",
  auth: { scheme: "bearer", tokenField: "value" },
  ...more,
});
const sqlCheck = (more: Draft = {}): Draft => ({
  how: "sql",
  host: "db.example.com",
  database: "app",
  passwordField: "value",
  ...more,
});

/** Every fault that a registry can have: the change that brings it about, and all that is said about it. */
const CASES: readonly {
  readonly name: string;
  readonly change: (d: Draft) => void;
  readonly faults: readonly Fault[];
}[] = [
  {
    name: "an unknown consumer",
    change: (d) => {
      d.secrets["db/app"].consumers = ["bakcend"];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[0]',
        found: '"bakcend", which is no workload',
        allowed: "one of backend, payments",
        change: 'did you mean "backend"?',
      },
    ],
  },
  {
    name: "an unknown consumer with its own files",
    change: (d) => {
      d.secrets["db/app"].consumers = [{ workload: "nobody", files: [{ format: "env" }] }];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[0].workload',
        found: '"nobody", which is no workload',
        allowed: "one of backend, payments",
        change: "correct the name, or add the workload",
      },
    ],
  },
  {
    name: "an unknown environment of a secret",
    change: (d) => {
      d.secrets["crypto/webhook"].environments = { porduction: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].environments.porduction',
        found: '"porduction", which is no environment',
        allowed: "one of dev, prod",
        change: "correct the name, or add the environment",
      },
    ],
  },
  {
    name: "an unknown environment of a workload",
    change: (d) => {
      d.workloads.backend.environments = { staging: { namespace: "x" } };
    },
    faults: [
      {
        path: "workloads.backend.environments.staging",
        found: '"staging", which is no environment',
        allowed: "one of dev, prod",
        change: "correct the name, or add the environment",
      },
    ],
  },
  {
    name: "an unknown workload in the access rules",
    change: (d) => {
      d.accessRules.frontend = { deny: ["payments/*"] };
    },
    faults: [
      {
        path: "accessRules.frontend",
        found: '"frontend", which is no workload',
        allowed: "one of backend, payments",
        change: "correct the name, or add the workload",
      },
    ],
  },
  {
    name: "an unknown key in an access rule",
    change: (d) => {
      d.accessRules.backend.deny = ["payments/strpie"];
    },
    faults: [
      {
        path: "accessRules.backend.deny[0]",
        found: '"payments/strpie", which is no secret',
        allowed: "one of admin/db, crypto/webhook, db/app, payments/stripe",
        change: 'did you mean "payments/stripe"?',
      },
    ],
  },
  {
    name: "an access rule that is no pattern",
    change: (d) => {
      d.accessRules.backend.deny = ["pay*"];
    },
    faults: [
      {
        path: "accessRules.backend.deny[0]",
        found: '"pay*"',
        allowed: "a secret key, everything below a prefix (payments/*), or *",
        change: "write it in one of these three forms",
      },
    ],
  },
  {
    name: "an unknown secret that an environment opts in to",
    change: (d) => {
      d.environments.dev.optIn = ["crypto/webhok"];
    },
    faults: [
      {
        path: "environments.dev.optIn[0]",
        found: '"crypto/webhok", which is no secret',
        allowed: "one of admin/db, crypto/webhook, db/app, payments/stripe",
        change: 'did you mean "crypto/webhook"?',
      },
    ],
  },
  {
    name: "opting in to a secret that is required",
    change: (d) => {
      d.environments.dev.optIn = ["crypto/webhook"];
    },
    faults: [
      {
        path: "environments.dev.optIn[0]",
        found: '"crypto/webhook", which is required in dev',
        allowed: "a secret that is optional there",
        change: "remove it: the environment has the secret anyway",
      },
    ],
  },
  {
    name: "opting in to a secret that is absent",
    change: (d) => {
      d.environments.dev.optIn = ["crypto/webhook"];
      d.secrets["crypto/webhook"].environments = { dev: { presence: "absent" } };
    },
    faults: [
      {
        path: "environments.dev.optIn[0]",
        found: '"crypto/webhook", which is absent in dev',
        allowed: "a secret that is optional there",
        change:
          'remove it, or make the secret optional at secrets["crypto/webhook"].environments.dev.presence',
      },
    ],
  },
  {
    name: "an unknown admin credential",
    change: (d) => {
      d.secrets["db/app"].admin = "db/admin";
    },
    faults: [
      {
        path: 'secrets["db/app"].admin',
        found: '"db/admin", which is no secret',
        allowed: "one of admin/db, crypto/webhook, db/app, payments/stripe",
        change: "correct the name, or add the secret",
      },
    ],
  },
  {
    name: "an admin credential that the environment does not have",
    change: (d) => {
      d.secrets["db/app"].admin = "crypto/webhook";
      d.secrets["crypto/webhook"].environments = { dev: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/app"].admin',
        found: '"crypto/webhook", which dev does not have',
        allowed: "a secret that every environment has in which this one is rotated",
        change: "make crypto/webhook present in dev",
      },
    ],
  },
  {
    name: "admin credentials in a circle",
    change: (d) => {
      d.secrets["db/app"].admin = "crypto/webhook";
      d.secrets["crypto/webhook"].admin = "db/app";
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].admin',
        found: '"db/app", which rotation would never use',
        allowed:
          "no admin secret with hmac-key, store aws, rotation automatic: what changes it is the function itself: no target holds the keys",
        change: "remove it; an admin secret that no other secret names can go as well",
      },
      {
        path: 'secrets["crypto/webhook"].admin',
        found: "crypto/webhook → db/app → crypto/webhook",
        allowed: "a chain of admin credentials that ends",
        change: "let one of them be rotated without the others",
      },
      {
        path: 'secrets["db/app"].admin',
        found: "db/app → crypto/webhook → db/app",
        allowed: "a chain of admin credentials that ends",
        change: "let one of them be rotated without the others",
      },
    ],
  },
  {
    name: "an environment without clusters",
    change: (d) => {
      d.environments.dev.clusters = [];
    },
    faults: [
      {
        path: "environments.dev.clusters",
        found: "[]",
        allowed: "a list that is not empty",
        change: "add an entry",
      },
    ],
  },
  {
    name: "a cluster without any Vault",
    change: (d) => {
      d.environments.dev.vaults = [];
    },
    faults: [
      {
        path: "environments.dev.vaults",
        found: "[]",
        allowed: "a list that is not empty",
        change: "add an entry",
      },
    ],
  },
  {
    name: "an unknown Vault",
    change: (d) => {
      d.environments.dev.clusters[0].vault = "mian";
    },
    faults: [
      {
        path: "environments.dev.clusters[0].vault",
        found: '"mian", which is no Vault of this environment',
        allowed: "one of main",
        change: 'did you mean "main"?',
      },
    ],
  },
  {
    name: "a duplicate key in merged parts",
    change: (d) => {
      d.secrets = mergeSecrets(d.secrets, { "db/app": d.secrets["db/app"] });
    },
    faults: [
      {
        path: 'secrets["db/app"]',
        found: "the same key in more than one of the merged parts",
        allowed: "each key once",
        change: "rename one of them, or remove the one that is out of date",
      },
    ],
  },
  {
    name: "a former key that is a living one",
    change: (d) => {
      d.secrets["db/app"].renamedFrom = "crypto/webhook";
    },
    faults: [
      {
        path: 'secrets["db/app"].renamedFrom',
        found: '"crypto/webhook", which secrets["crypto/webhook"] uses',
        allowed: "a key that no secret has or had",
        change: "remove it, or rename the other secret",
      },
    ],
  },
  {
    name: "a former key of two secrets",
    change: (d) => {
      d.secrets["db/app"].renamedFrom = "old/key";
      d.secrets["crypto/webhook"].renamedFrom = ["older/key", "old/key"];
    },
    faults: [
      {
        path: 'secrets["db/app"].renamedFrom',
        found: '"old/key", which secrets["crypto/webhook"].renamedFrom uses',
        allowed: "a key that no secret has or had",
        change: "remove it, or rename the other secret",
      },
    ],
  },
  {
    name: "a former key that is its own",
    change: (d) => {
      d.secrets["db/app"].renamedFrom = "db/app";
    },
    faults: [
      {
        path: 'secrets["db/app"].renamedFrom',
        found: '"db/app", which secrets["db/app"] uses',
        allowed: "a key that no secret has or had",
        change: "remove it, or rename the other secret",
      },
    ],
  },
  {
    name: "a key with capitals",
    change: (d) => {
      d.secrets["DB/app"] = d.secrets["crypto/webhook"];
    },
    faults: [
      {
        path: 'secrets["DB/app"]',
        found: '"DB/app"',
        allowed:
          "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
        change: "rename the key, such as db/app-primary",
      },
      {
        path: 'secrets["DB/app"]',
        found: "db--app from DB/app, the same as from db/app",
        allowed: "names that differ among the Terraform addresses of secrets in dev",
        change: "rename one of the two, so that the derived names differ",
      },
    ],
  },
  {
    name: "a key with a dot",
    change: (d) => {
      d.secrets["db.app"] = d.secrets["crypto/webhook"];
    },
    faults: [
      {
        path: 'secrets["db.app"]',
        found: '"db.app"',
        allowed:
          "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
        change: "rename the key, such as db/app-primary",
      },
    ],
  },
  {
    name: "a key with a double hyphen",
    change: (d) => {
      d.secrets["db--app2"] = d.secrets["crypto/webhook"];
    },
    faults: [
      {
        path: 'secrets["db--app2"]',
        found: '"db--app2"',
        allowed:
          "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
        change: "rename the key, such as db/app-primary",
      },
    ],
  },
  {
    name: "a key that ends in a slash",
    change: (d) => {
      d.secrets["db/"] = d.secrets["crypto/webhook"];
    },
    faults: [
      {
        path: 'secrets["db/"]',
        found: '"db/"',
        allowed:
          "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
        change: "rename the key, such as db/app-primary",
      },
    ],
  },
  {
    name: "a key that ends in a hyphen and six characters",
    change: (d) => {
      d.secrets["db/app-master"] = d.secrets["crypto/webhook"];
    },
    faults: [
      {
        path: 'secrets["db/app-master"]',
        found: "a key that ends in a hyphen and six characters (-master)",
        allowed: "any other ending: Secrets Manager takes such a name for a complete ARN",
        change: "add or remove a character at the end",
      },
    ],
  },
  {
    name: "a former key that ends in a hyphen and six characters",
    change: (d) => {
      d.secrets["db/app"].renamedFrom = "db/app-master";
    },
    faults: [
      {
        path: 'secrets["db/app"].renamedFrom',
        found: "a key that ends in a hyphen and six characters (-master)",
        allowed: "any other ending: Secrets Manager takes such a name for a complete ARN",
        change: "add or remove a character at the end",
      },
    ],
  },
  {
    name: "a key that is too long",
    change: (d) => {
      d.secrets["k".repeat(201)] = d.secrets["crypto/webhook"];
    },
    faults: [
      {
        path: "secrets.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
        found: '"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…',
        allowed:
          "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
        change: "rename the key, such as db/app-primary",
      },
    ],
  },
  {
    name: "a consumer against a deny rule",
    change: (d) => {
      d.secrets["payments/stripe"].consumers = ["payments", "backend"];
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].consumers[1]',
        found: '"backend"',
        allowed:
          'a workload that may read payments/stripe; accessRules["backend"].deny forbids payments/* to this one (policy)',
        change: "let a workload of its own consume it, or change the access rule",
      },
    ],
  },
  {
    name: "a consumer outside of an allow rule",
    change: (d) => {
      d.accessRules.payments = { allow: ["payments/*"] };
      d.secrets["db/app"].consumers = ["payments"];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[0]',
        found: '"payments"',
        allowed: 'a workload that may read db/app; accessRules["payments"].allow lists only payments/*',
        change: "let a workload of its own consume it, or change the access rule",
      },
    ],
  },
  {
    name: "a consumer named twice",
    change: (d) => {
      d.secrets["db/app"].consumers = ["backend", "backend"];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[1]',
        found: '"backend" a second time',
        allowed: "each consumer once",
        change: "remove it, or put all its files into one entry",
      },
    ],
  },
  {
    name: "a retired secret with a consumer",
    change: (d) => {
      d.secrets["db/app"].retired = "2026-12-31";
    },
    faults: [
      {
        path: 'secrets["db/app"].retired',
        found: "retired on 2026-12-31 with consumers backend",
        allowed: "a retired secret without consumers",
        change: "remove the consumers first, or remove `retired`",
      },
    ],
  },
  {
    name: "a date that is none",
    change: (d) => {
      d.secrets["db/app"].retired = "2026-02-30";
      d.secrets["db/app"].consumers = [];
    },
    faults: [
      {
        path: 'secrets["db/app"].retired',
        found: '"2026-02-30"',
        allowed: "a date such as 2026-12-31",
        change: "write year, month and day",
      },
    ],
  },
  {
    name: "a replica region equal to the primary",
    change: (d) => {
      d.environments.dev.regions.replicas = ["eu-central-1"];
    },
    faults: [
      {
        path: "environments.dev.regions.replicas[0]",
        found: "eu-central-1, which is the primary region",
        allowed: "regions other than the primary",
        change: "remove it: the primary holds the secret anyway",
      },
      {
        path: "environments.dev.vaults[0].regions[1]",
        found: "eu-west-1",
        allowed: "the environment's regions: eu-central-1",
        change: "remove it, or add the region to the environment",
      },
    ],
  },
  {
    name: "a replica region twice",
    change: (d) => {
      d.environments.dev.regions.replicas = ["eu-west-1", "eu-west-1"];
    },
    faults: [
      {
        path: "environments.dev.regions.replicas[1]",
        found: "eu-west-1 a second time",
        allowed: "each replica region once",
        change: "remove it",
      },
    ],
  },
  {
    name: "a replica region of another partition",
    change: (d) => {
      d.environments.dev.regions.replicas = ["eu-west-1", "cn-north-1"];
    },
    faults: [
      {
        path: "environments.dev.regions.replicas[1]",
        found: "cn-north-1 of partition aws-cn",
        allowed: "regions of partition aws, like the primary eu-central-1",
        change: "choose a region of the same partition: Secrets Manager does not replicate across partitions",
      },
    ],
  },
  {
    name: "a region that is none",
    change: (d) => {
      d.environments.dev.regions.primary = "eu-centrl-1";
    },
    faults: [
      {
        path: "environments.dev.regions.primary",
        found: '"eu-centrl-1"',
        allowed: "an AWS region such as eu-central-1",
        change: "use the region's code name",
      },
    ],
  },
  {
    name: "an account id that is none",
    change: (d) => {
      d.environments.dev.account = "1234";
    },
    faults: [
      {
        path: "environments.dev.account",
        found: '"1234"',
        allowed: "a 12-digit AWS account id, as a string",
        change: "write the account's id with its leading zeros, in quotes",
      },
    ],
  },
  {
    name: "an account id as a number",
    change: (d) => {
      d.environments.dev.account = 111122223333;
    },
    faults: [
      {
        path: "environments.dev.account",
        found: "111122223333",
        allowed: "a value of type string",
        change: "change its type",
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
  },
  {
    name: "jobs that vouch for changes without a role",
    change: (d) => {
      d.environments.dev.changes = { repository: "acme/infrastructure" };
    },
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
  },
  {
    name: "an approver who operates",
    change: (d) => {
      d.environments.dev.principals.approvers = d.environments.dev.principals.operators;
    },
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
    name: "an issuer that is no https URL",
    change: (d) => {
      d.environments.dev.clusters[0].issuer = "oidc.example.com/id/DEV";
    },
    faults: [
      {
        path: "environments.dev.clusters[0].issuer",
        found: '"oidc.example.com/id/DEV"',
        allowed: "an https URL without query, such as https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD",
        change:
          "take the issuer as the cluster publishes it (kubectl get --raw /.well-known/openid-configuration)",
      },
    ],
  },
  {
    name: "an issuer of AWS's tokens with a trailing slash",
    change: (d) => {
      d.environments.dev.awsTokenIssuer = "https://dev.tokens.sts.global.api.aws/";
    },
    faults: [
      {
        path: "environments.dev.awsTokenIssuer",
        found: '"https://dev.tokens.sts.global.api.aws/"',
        allowed:
          "an https URL without query or trailing slash, such as https://token.actions.githubusercontent.com",
        change: "take the issuer as its tokens say it (claim `iss`)",
      },
    ],
  },
  {
    name: "an issuer that Terraform would run",
    change: (d) => {
      d.environments.dev.clusters[0].issuer = "https://oidc.example.com/${file(1)}";
    },
    faults: [
      {
        path: "environments.dev.clusters[0].issuer",
        found: '"https://oidc.example.com/${file(1)}"',
        allowed: "an https URL without query, such as https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD",
        change:
          "take the issuer as the cluster publishes it (kubectl get --raw /.well-known/openid-configuration)",
      },
    ],
  },
  {
    name: "a Vault address that is none",
    change: (d) => {
      d.environments.dev.vaults[0].address = "http://vault.example.com:8200";
    },
    faults: [
      {
        path: "environments.dev.vaults[0].address",
        found: '"http://vault.example.com:8200"',
        allowed:
          "an https URL of host and port only, such as https://vault.example.com:8200 (http on loopback only)",
        change: "give scheme, host and port, nothing after them",
      },
    ],
  },
  {
    name: "a Vault address with a path",
    change: (d) => {
      d.environments.dev.vaults[0].address = "https://vault.example.com/v1";
    },
    faults: [
      {
        path: "environments.dev.vaults[0].address",
        found: '"https://vault.example.com/v1"',
        allowed:
          "an https URL of host and port only, such as https://vault.example.com:8200 (http on loopback only)",
        change: "give scheme, host and port, nothing after them",
      },
    ],
  },
  {
    name: "a CA that is no certificate",
    change: (d) => {
      d.environments.dev.vaults[0].caPem = "-----BEGIN CERTIFICATE-----";
    },
    faults: [
      {
        path: "environments.dev.vaults[0].caPem",
        found: '"-----BEGIN CERTIFICATE-----"',
        allowed: "a certificate in PEM form (-----BEGIN CERTIFICATE-----)",
        change: "paste the CA's certificate; never a private key",
      },
    ],
  },
  {
    name: "issuer keys that are none",
    change: (d) => {
      d.environments.dev.clusters[0].issuerKeys = ["key"];
    },
    faults: [
      {
        path: "environments.dev.clusters[0].issuerKeys[0]",
        found: '"key"',
        allowed: "a public key in PEM form (-----BEGIN PUBLIC KEY-----)",
        change: "paste the public key; never a private key",
      },
    ],
  },
  {
    name: "a refresh interval over six hours",
    change: (d) => {
      d.environments.dev.refreshEvery = hours(12);
    },
    faults: [
      {
        path: "environments.dev.refreshEvery",
        found: "12 hours",
        allowed: "1 minute to 6 hours (policy: applications refresh every 6 hours)",
        change: "choose hours(6) or less",
      },
    ],
  },
  {
    name: "a recovery window that AWS does not take",
    change: (d) => {
      d.environments.dev.recoveryWindow = days(3);
    },
    faults: [
      {
        path: "environments.dev.recoveryWindow",
        found: "3 days",
        allowed: "7 to 30 whole days, as Secrets Manager takes them; none in development",
        change: "choose days(7) to days(30)",
      },
    ],
  },
  {
    name: "networks of pods that are none, and tokens of pods that outlive Vault's limit",
    change: (d) => {
      d.environments.dev.clusters[0].podCidrs = ["10.0.0.0", "10.0.0.0/33", "pods"];
      d.environments.dev.podTokenMaxTtl = days(33);
    },
    faults: [
      ...["10.0.0.0", "10.0.0.0/33", "pods"].map((network, at) => ({
        path: `environments.dev.clusters[0].podCidrs[${at}]`,
        found: `"${network}"`,
        allowed: "a network in CIDR form, such as 10.0.0.0/16",
        change: "write the address of the network and the length of its prefix",
      })),
      {
        path: "environments.dev.podTokenMaxTtl",
        found: "33 days",
        allowed: "an hour to 32 days, Vault's own limit",
        change: "choose hours(1) to days(32)",
      },
    ],
  },
  {
    name: "secrets of production that are gone at once",
    change: (d) => {
      d.environments.prod.recoveryWindow = days(0);
    },
    faults: [
      {
        path: "environments.prod.recoveryWindow",
        found: "none, and its values are used",
        allowed: "7 to 30 days; none in development only",
        change: "choose days(7) to days(30)",
      },
    ],
  },
  {
    name: "two Vaults of one name",
    change: (d) => {
      d.environments.dev.vaults.push({ ...d.environments.dev.vaults[0], address: "https://two.example.com" });
    },
    faults: [
      {
        path: "environments.dev.vaults[1].name",
        found: '"main" a second time',
        allowed: "each Vault's name once",
        change: "rename one of them",
      },
    ],
  },
  {
    name: "a Vault in a foreign region",
    change: (d) => {
      d.environments.dev.vaults[0].regions = ["eu-central-1", "us-east-1"];
    },
    faults: [
      {
        path: "environments.dev.vaults[0].regions[1]",
        found: "us-east-1",
        allowed: "the environment's regions: eu-central-1, eu-west-1",
        change: "remove it, or add the region to the environment",
      },
    ],
  },
  {
    name: "a Vault with a region twice",
    change: (d) => {
      d.environments.dev.vaults[0].regions = ["eu-central-1", "eu-central-1"];
    },
    faults: [
      {
        path: "environments.dev.vaults[0].regions[1]",
        found: "eu-central-1 a second time",
        allowed: "each region once",
        change: "remove it",
      },
    ],
  },
  {
    name: "two clusters of one name",
    change: (d) => {
      d.environments.dev.clusters.push({
        ...d.environments.dev.clusters[0],
        issuer: "https://oidc.example.com/id/TWO",
      });
    },
    faults: [
      {
        path: "environments.dev.clusters[1].name",
        found: '"dev-one" a second time',
        allowed: "each cluster's name once",
        change: "rename one: auth mounts and addresses are made of it",
      },
    ],
  },
  {
    name: "two clusters of one issuer",
    change: (d) => {
      d.environments.dev.clusters.push({ ...d.environments.dev.clusters[0], name: "dev-two" });
    },
    faults: [
      {
        path: "environments.dev.clusters[1].issuer",
        found: "https://oidc.example.com/id/DEV a second time",
        allowed: "an issuer of its own for each cluster",
        change: "take the issuer from the cluster itself: tokens of two clusters could not be told apart",
      },
    ],
  },
  {
    name: "a cluster in a foreign region",
    change: (d) => {
      d.environments.dev.clusters[0].region = "us-east-1";
    },
    faults: [
      {
        path: "environments.dev.clusters[0].region",
        found: "us-east-1",
        allowed: "the environment's regions: eu-central-1, eu-west-1",
        change: "add the region to the environment's replicas: pods read the replica of their own region",
      },
    ],
  },
  {
    name: "a cluster whose Vault serves other regions",
    change: (d) => {
      d.environments.dev.vaults[0].regions = ["eu-west-1"];
    },
    faults: [
      {
        path: "environments.dev.clusters[0].vault",
        found: '"main", which serves eu-west-1',
        allowed: "a Vault that serves eu-central-1",
        change: "choose another Vault, or add the region to its regions",
      },
    ],
  },
  {
    name: "a kind that does not exist",
    change: (d) => {
      d.secrets["db/app"].kind = "mysql-user";
    },
    faults: [
      {
        path: 'secrets["db/app"].kind',
        found: '"mysql-user"',
        allowed:
          "one of postgresql-user, redis-auth-token, jwt-signing-key, hmac-key, stripe, paypal, sendgrid, s3-access-key, datadog, generic",
        change: "choose one of them",
      },
    ],
  },
  {
    name: "a store that cannot hold the kind",
    change: (d) => {
      d.secrets["crypto/webhook"].store = "vault";
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].store',
        found: '"vault"',
        allowed: "aws for kind hmac-key",
        change: "choose a store that can rotate this kind",
      },
    ],
  },
  {
    name: "somebody who does not accept the kind",
    change: (d) => {
      d.secrets["crypto/webhook"].acceptedBy = "target";
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].acceptedBy',
        found: '"target"',
        allowed: "own-workloads for kind hmac-key",
        change: "remove it: the kind knows who accepts it",
      },
    ],
  },
  {
    name: "a rotation that the kind does not have",
    change: (d) => {
      d.secrets["db/app"].rotation = "operator-assisted";
    },
    faults: [
      {
        path: 'secrets["db/app"].rotation',
        found: '"operator-assisted"',
        allowed: "automatic for kind postgresql-user",
        change: "choose one of them",
      },
    ],
  },
  {
    name: "a rotation that the kind does not have, in one environment",
    change: (d) => {
      d.secrets["db/app"].environments.dev.rotation = "manual-dual-publish";
    },
    faults: [
      {
        path: 'secrets["db/app"].environments.dev.rotation',
        found: '"manual-dual-publish"',
        allowed: "automatic for kind postgresql-user",
        change: "choose one of them",
      },
    ],
  },
  {
    name: "a login that the store does not have",
    change: (d) => {
      d.secrets["db/app"].settings.login = "dynamic";
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.login',
        found: '"dynamic"',
        allowed: "alternating with store aws",
        change: "choose one of them, or the other store",
      },
    ],
  },
  {
    name: "a static login that claims two slots",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].settings.login = "static";
      d.secrets["db/ro"].acceptedBy = "target";
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/ro"].acceptedBy',
        found: '"target" with login "static"',
        allowed: "single-slot: a static role has one password",
        change: "remove it, or choose another login",
      },
    ],
  },
  {
    name: "a writer's host without a reader",
    change: (d) => {
      d.secrets["db/app"].settings.writerHost = "w.example.com";
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.writerHost',
        found: '"w.example.com"',
        allowed: "a writer's host with store vault only: with store aws the login is made on `host`",
        change: "remove it, and let `host` be the writer",
      },
    ],
  },
  {
    name: "a replica's writer and a pooler's server at once",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.writerHost = "w.example.com";
      d.secrets["db/ro"].settings.server = { host: "db.example.com" };
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.writerHost',
        found: '"w.example.com"',
        allowed: "either a writer's host, where `host` is a replica, or the server behind a pooler",
        change: "remove it, and let `server` be the writer",
      },
    ],
  },
  {
    name: "names that templates would read, and that PostgreSQL would cut",
    change: (d) => {
      d.secrets["db/app"].settings.database = "app{{name}}";
      d.secrets["db/app"].settings.schemas = ["ä".repeat(32)];
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.database',
        found: '"app{{name}}"',
        allowed:
          "a PostgreSQL name of at most 63 bytes, without control characters, braces, and white space at its ends",
        change: "use the name as PostgreSQL shows it (\\du, \\l, \\dn), without quotes around it",
      },
      {
        path: 'secrets["db/app"].settings.schemas[0]',
        found: `"${"ä".repeat(32)}"`,
        allowed:
          "a PostgreSQL name of at most 63 bytes, without control characters, braces, and white space at its ends",
        change: "use the name as PostgreSQL shows it (\\du, \\l, \\dn), without quotes around it",
      },
    ],
  },
  {
    name: "a connection's user without a connection",
    change: (d) => {
      d.secrets["db/app"].settings.connectionUser = "app_vault";
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.connectionUser',
        found: '"app_vault"',
        allowed:
          "a connection's user with store vault only: with store aws the secret `admin` names the login that makes logins",
        change: "remove it, or choose store vault",
      },
    ],
  },
  {
    name: "a connection's user that PostgreSQL would cut",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.connectionUser = "c".repeat(59);
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.connectionUser',
        found: `"${"c".repeat(59)}"`,
        allowed: "at most 58 bytes, so that <connectionUser>_<Vault> fits PostgreSQL's 63",
        change: "choose a shorter one",
      },
    ],
  },
  {
    name: "a connection that logs in as the login which it rotates",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      Object.assign(d.secrets["db/ro"].settings, {
        login: "static",
        role: "reporting_main",
        connectionUser: "reporting",
      });
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.connectionUser',
        found: '"reporting", which makes the connection log in as reporting_main',
        allowed: "a user that is not the one it looks after",
        change: "choose another one",
      },
    ],
  },
  {
    name: "a static login in two Vaults",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.login = "static";
      d.environments.dev.vaults.push({
        name: "second",
        address: "https://second.example.com",
        regions: ["eu-west-1"],
      });
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.login',
        found: '"static", in 2 Vaults',
        allowed: "one Vault: each would change the password of the same login, and make the others' invalid",
        change: "choose dynamic, or an environment with one Vault",
      },
    ],
  },
  {
    name: "two connections with one user",
    change: (d) => {
      const here = { prod: { presence: "absent" } };
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: here };
      d.secrets["db/two"] = { ...vaultDatabase(), environments: here };
      for (const [key, role] of [
        ["db/ro", "one"],
        ["db/two", "two"],
      ])
        Object.assign(d.secrets[String(key)].settings, { role, connectionUser: "shared" });
    },
    faults: [
      {
        path: 'secrets["db/two"].environments.dev.settings',
        found: 'the database user shared_main on ro.example.com:5432, which secrets["db/ro"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "a file of CA certificates that is no absolute path",
    change: (d) => {
      d.environments.dev.vaults[0].databaseCaFile = "ca.pem?sslmode=disable";
    },
    faults: [
      {
        path: "environments.dev.vaults[0].databaseCaFile",
        found: '"ca.pem?sslmode=disable"',
        allowed: "an absolute path of letters, digits, dots, hyphens and underscores",
        change: "give the file such a path",
      },
    ],
  },
  {
    name: "a lease longer than its maximum",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].settings.ttl = days(8);
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.ttl',
        found: "8 days",
        allowed: "at most maxTtl, 7 days",
        change: "shorten ttl, or lengthen maxTtl",
      },
    ],
  },
  {
    name: "a maximum lease beyond Vault's",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].settings.maxTtl = days(40);
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.maxTtl',
        found: "40 days",
        allowed: "at most 32 days, Vault's own limit for leases",
        change: "shorten it",
      },
    ],
  },
  {
    name: "Pod Identity across accounts",
    change: (d) => {
      d.environments.dev.identity = "pod-identity";
      d.environments.dev.clusters[0].account = "999999999999";
    },
    faults: [
      {
        path: "environments.dev.clusters[0].account",
        found: "999999999999, with identity pod-identity",
        allowed:
          "the environment's account 111122223333: a Pod Identity association and its role are in one account",
        change: 'choose identity "irsa", or a cluster in the same account',
      },
    ],
  },
  {
    name: "Pod Identity with an OIDC provider",
    change: (d) => {
      d.environments.dev.identity = "pod-identity";
      d.environments.dev.clusters[0].oidcProvider = "create";
    },
    faults: [
      {
        path: "environments.dev.clusters[0].oidcProvider",
        found: '"create", with identity pod-identity',
        allowed: "no OIDC provider: Pod Identity uses none",
        change: "remove it",
      },
    ],
  },
  {
    name: "a cadence below a day in Secrets Manager",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = hours(12);
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "12 hours",
        allowed: "1 to 1000 whole days, as Secrets Manager takes them",
        change: "choose days(1) to days(1000)",
      },
    ],
  },
  {
    name: "a cadence over 1000 days in Secrets Manager",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = days(1001);
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "1001 days",
        allowed: "1 to 1000 whole days, as Secrets Manager takes them",
        change: "choose days(1) to days(1000)",
      },
    ],
  },
  {
    name: "a cadence below Vault's five seconds",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].rotateEvery = seconds(4);
      d.secrets["db/ro"].settings.login = "static";
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/ro"].rotateEvery',
        found: "4 seconds",
        allowed: "at least 5 seconds, as Vault's engines take it",
        change: "lengthen it",
      },
    ],
  },
  {
    name: "a cadence that is no length of time",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = "30 days";
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: '"30 days"',
        allowed: "a value of type object",
        change: "change its type",
      },
    ],
  },
  {
    name: "a cadence that is not positive",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = days(0);
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "0 seconds",
        allowed: "a whole, positive length of time, such as days(30)",
        change: "use days(…), hours(…) or minutes(…)",
      },
    ],
  },
  {
    name: "an overlap not longer than refresh and margin",
    change: (d) => {
      d.secrets["db/app"].overlap = hours(7);
    },
    faults: [
      {
        path: 'secrets["db/app"].overlap',
        found: "7 hours",
        allowed:
          "longer than 7 hours: refresh interval, reload margin and what the kind's acceptors need beyond",
        change: "lengthen it, or remove it for the default",
      },
    ],
  },
  {
    name: "an overlap not longer than what verifiers need",
    change: (d) => {
      d.secrets["crypto/webhook"].overlap = hours(7);
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].overlap',
        found: "7 hours",
        allowed:
          "longer than 425 minutes: refresh interval, reload margin and what the kind's acceptors need beyond",
        change: "lengthen it, or remove it for the default",
      },
    ],
  },
  {
    name: "a cadence inside the overlap",
    change: (d) => {
      d.secrets["db/app"].overlap = days(40);
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "30 days",
        allowed: "longer than 40 days, which one rotation takes until the old credential is gone",
        change: "lengthen the cadence: a new rotation inside a running overlap is refused",
      },
    ],
  },
  {
    name: "a single slot with dual write",
    change: (d) => {
      d.secrets["app/password"] = genericPassword();
      d.secrets["app/password"].dualWrite = true;
    },
    faults: [
      {
        path: 'secrets["app/password"].dualWrite',
        found: "true, for a credential with a single slot",
        allowed: "no dual write: the old credential dies when the new one is made",
        change: "remove it, or choose a kind that accepts two credentials at once",
      },
    ],
  },
  {
    name: "a single slot with an overlap",
    change: (d) => {
      d.secrets["app/password"] = genericPassword();
      d.secrets["app/password"].overlap = hours(8);
    },
    faults: [
      {
        path: 'secrets["app/password"].overlap',
        found: "8 hours, for a credential with a single slot",
        allowed: "no overlap: the old credential dies when the new one is made",
        change: "remove it, or choose a kind that accepts two credentials at once",
      },
    ],
  },
  {
    name: "a rule for no field",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { token: { how: "bytes" } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.token',
        found: "a rule for no field",
        allowed: "one of value",
        change: "correct the name, or add the field",
      },
    ],
  },
  {
    name: "a rule of an unknown sort",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { value: { how: "uuid" } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.how',
        found: '"uuid"',
        allowed: "a known value of how",
        change: "write it in one of those forms",
      },
    ],
  },
  {
    name: "a password that is too easy",
    change: (d) => {
      d.secrets["app/password"] = generic({
        generate: { value: { how: "password", length: 20, characters: ["digit"] } },
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.length',
        found: "20",
        allowed: "at least 34 characters out of 10: 112 bits",
        change: "lengthen it, or add a class of characters",
      },
    ],
  },
  {
    name: "a password of one character",
    change: (d) => {
      const rule = { how: "password", characters: ["symbol"], symbols: "!" };
      d.secrets["app/password"] = generic({ generate: { value: rule } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.length',
        found: "nothing",
        allowed: "more than one character to choose from",
        change: "lengthen it, or add a class of characters",
      },
    ],
  },
  {
    name: "symbols without their class",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { value: { how: "password", symbols: "!" } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.symbols',
        found: '"!"',
        allowed: "symbols with class symbol in characters only",
        change: "add the class, or remove symbols",
      },
    ],
  },
  {
    name: "symbols that are none",
    change: (d) => {
      d.secrets["app/password"] = generic({
        generate: { value: { how: "password", characters: ["lower", "symbol"], symbols: "a!" } },
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.symbols',
        found: '"a!"',
        allowed: "ASCII punctuation, each character once",
        change: "leave out letters, digits, spaces and repetitions",
      },
    ],
  },
  {
    name: "too few random bytes",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { value: { how: "bytes", bytes: 8 } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.bytes',
        found: "8",
        allowed: "at least 16",
        change: "raise it",
      },
    ],
  },
  {
    name: "rules for a part of a value that a person supplies",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        fields: ["username", "password"],
        generate: { password: { how: "bytes" } },
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate',
        found: "no rule for username, with rotation operator-assisted",
        allowed: "a rule for every field, or none: a person supplies the whole value, or nothing of it",
        change: "add the rules, remove them all, or put public parts into config",
      },
    ],
  },
  {
    name: "a field twice",
    change: (d) => {
      d.secrets["app/password"] = generic({ fields: ["token", "token"] });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.fields[1]',
        found: '"token" a second time',
        allowed: "each field once",
        change: "remove it",
      },
    ],
  },
  {
    name: "an entry of config with a field's name",
    change: (d) => {
      d.secrets["app/password"] = generic({ fields: ["login"], config: { login: "x" } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.config.login',
        found: "the name of a field of the value",
        allowed: "names that no field has: pods get both in one object",
        change: "rename it, or remove the field",
      },
    ],
  },
  {
    name: "a check of a value that nobody has taken to the target",
    change: (d) => {
      d.secrets["app/password"] = generic({ check: httpCheck() });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check',
        found: "a check by http with rotation automatic",
        allowed: "no check: nobody has taken the new value to the target when it would be tried",
        change: "remove it, or choose rotation operator-assisted",
      },
    ],
  },
  {
    name: "a target that nobody tells",
    change: (d) => {
      d.secrets["app/password"] = { ...generic({ check: httpCheck() }), acceptedBy: "target" };
    },
    faults: [
      {
        path: 'secrets["app/password"].acceptedBy',
        found: '"target" with rotation automatic',
        allowed: "single-slot: nothing can tell a target that is not known",
        change: "choose rotation operator-assisted, or a kind that knows the target",
      },
    ],
  },
  {
    name: "a target that cannot be asked whether the old credential is dead",
    change: (d) => {
      d.secrets["app/password"] = { ...assisted({}), acceptedBy: "target" };
    },
    faults: [
      {
        path: 'secrets["app/password"].environments.dev.settings.check',
        found: "nothing",
        allowed: "a check, with acceptedBy target: it shows that the old credential is dead",
        change: "add it, or choose acceptedBy single-slot",
      },
      {
        path: 'secrets["app/password"].environments.prod.settings.check',
        found: "nothing",
        allowed: "a check, with acceptedBy target: it shows that the old credential is dead",
        change: "add it, or choose acceptedBy single-slot",
      },
    ],
  },
  {
    name: "a generic secret that own workloads accept",
    change: (d) => {
      d.secrets["app/password"] = { ...generic({}), acceptedBy: "own-workloads" };
    },
    faults: [
      {
        path: 'secrets["app/password"].acceptedBy',
        found: '"own-workloads"',
        allowed: "single-slot or target for kind generic",
        change: "remove it: the kind knows who accepts it",
      },
    ],
  },
  {
    name: "a check that names no field",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ auth: { scheme: "bearer", tokenField: "token" } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.tokenField',
        found: '"token", which is no field',
        allowed: "one of value",
        change: "name the field that holds the credential; never the credential itself",
      },
    ],
  },
  {
    name: "a header that names no field",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ auth: { scheme: "header", headers: { "X-Key": "key", "X-Good": "value" } } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.headers["X-Key"]',
        found: '"key", which is no field',
        allowed: "one of value",
        change: "name the field that holds the credential; never the credential itself",
      },
    ],
  },
  {
    name: "a user name that is neither a field nor a text of config",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        config: { port: 1, login: "x" },
        check: sqlCheck({ usernameFrom: "port" }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.usernameFrom',
        found: '"port", which is no field and no text of config',
        allowed: "one of value, login",
        change: "name where the user name stands; never the user name itself",
      },
    ],
  },
  {
    name: "two credentials at a time for one PostgreSQL login",
    change: (d) => {
      d.secrets["app/password"] = {
        ...assisted({ config: { login: "x" }, check: sqlCheck({ usernameFrom: "login" }) }),
        acceptedBy: "target",
      };
      d.secrets["app/password"].environments = { dev: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.usernameFrom',
        found: '"login", which stays the same, with acceptedBy target',
        allowed: "a field: PostgreSQL keeps one password for a login, so the new credential is another login",
        change: "put the user name into a field, or choose acceptedBy single-slot",
      },
    ],
  },
  {
    name: "a text in an answer to HEAD",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ method: "HEAD", expect: { bodyIncludes: "ok" } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.expect.bodyIncludes',
        found: "a text, with method HEAD",
        allowed: "no text: an answer to HEAD has no body",
        change: "choose GET, or remove it",
      },
    ],
  },
  {
    name: "a check by HTTP without TLS",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ url: "http://127.0.0.1/" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.url',
        found: '"http://127.0.0.1/"',
        allowed: "an https URL without user, password, query and fragment",
        change: "give scheme, host and path only",
      },
    ],
  },
  {
    name: "a check by HTTP with a query",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ url: "https://api.example.com/?key=x" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.url',
        found: '"https://api.example.com/?key=x"',
        allowed: "an https URL without user, password, query and fragment",
        change: "give scheme, host and path only",
      },
    ],
  },
  {
    name: "a check by HTTP with a user",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ url: "https://robot@api.example.com/" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.url',
        found: '"https://robot@api.example.com/"',
        allowed: "an https URL without user, password, query and fragment",
        change: "give scheme, host and path only",
      },
    ],
  },
  {
    name: "a check that changes something",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ method: "DELETE" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.method',
        found: '"DELETE"',
        allowed: "one of GET, HEAD",
        change: "choose one of them",
      },
    ],
  },
  {
    name: "a statement that is no query",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: sqlCheck({ usernameFrom: "value", statement: "SELECT 1; DROP TABLE x" }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.statement',
        found: '"SELECT 1; DROP TABLE x"',
        allowed: "one SELECT in one line, without semicolon",
        change: "write a query that shows the login's right and changes nothing",
      },
    ],
  },
  {
    name: "a good answer that is none",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ expect: { status: 302 } }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.expect.status',
        found: "302",
        allowed: "at most 299",
        change: "lower it",
      },
    ],
  },
  {
    name: "a refusal that is none",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ expect: { refusedStatus: 200 } }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.expect.refusedStatus',
        found: "200",
        allowed: "at least 400",
        change: "raise it",
      },
    ],
  },
  {
    name: "a header that is HTTP's own",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ auth: { scheme: "header", headers: { Host: "value" } } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.headers',
        found: '{"Host":"value"}',
        allowed: "names of HTTP headers that carry a credential, each once",
        change: "use the name from the target's documentation, such as X-Api-Key",
      },
    ],
  },
  {
    name: "a check without a way to present the credential",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: { how: "http", url: "https://api.example.com/" } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth',
        found: "nothing",
        allowed: "a value (object)",
        change: "add it",
      },
    ],
  },
  {
    name: "a check of an unknown sort",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: { how: "ldap" } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.how',
        found: '"ldap"',
        allowed: "a known value of how",
        change: "write it in one of those forms",
      },
    ],
  },
  {
    name: "a credential where a field's name belongs",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({
          auth: { scheme: "bearer", tokenField: ["sk", "live", "51Habcdefghi"].join("_") },
        }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.tokenField',
        found: "a text that looks like a credential (not shown)",
        allowed: "no secret value: the registry describes secrets, it does not hold them",
        change: "remove it, and rotate that credential: it has been in a file",
      },
      {
        path: 'secrets["app/password"].settings.check.auth.tokenField',
        found: "a text that looks like a credential (not shown), which is no field",
        allowed: "one of value",
        change: "name the field that holds the credential; never the credential itself",
      },
    ],
  },
  {
    name: "a check of a login that another secret rotates",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        config: { login: "app_b" },
        check: sqlCheck({ host: "db.dev.example.com", usernameFrom: "login" }),
      });
      d.secrets["app/password"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/app"].environments.dev.settings',
        found:
          'the database user app_b on db.dev.example.com:5432, which secrets["app/password"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "one user of an HTTP target in two secrets",
    change: (d) => {
      const basic = { scheme: "basic", usernameFrom: "login", passwordField: "value" };
      const one = (path: string) => ({
        ...assisted({
          config: { login: "robot" },
          check: httpCheck({ url: `https://api.example.com/${path}`, auth: basic }),
        }),
        environments: { dev: { presence: "absent" } },
      });
      d.secrets["app/password"] = one("a");
      d.secrets["app/token"] = one("b");
    },
    faults: [
      {
        path: 'secrets["app/token"].environments.prod.settings',
        found: 'the user robot of https://api.example.com, which secrets["app/password"] rotates in prod',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "dual write turned off where both must live",
    change: (d) => {
      d.secrets["db/app"].dualWrite = false;
    },
    faults: [
      {
        path: 'secrets["db/app"].dualWrite',
        found: "false",
        allowed: "dual write: the target accepts both credentials, and pods refresh at different times",
        change: "remove it",
      },
    ],
  },
  {
    name: "a session policy over 2,048 characters",
    change: (d) => {
      d.secrets["s3/app"] = s3Key();
      d.secrets["s3/app"].settings.sessionPolicy.Statement = ["x".repeat(2048)];
    },
    faults: [
      {
        path: 'secrets["s3/app"].settings.sessionPolicy',
        found: "a policy of 2089 characters",
        allowed: "2048 characters, as STS takes session policies",
        change: "join statements, or use prefixes",
      },
    ],
  },
  {
    name: "a session policy that is none",
    change: (d) => {
      d.secrets["s3/app"] = s3Key();
      d.secrets["s3/app"].settings.sessionPolicy = { statements: [] };
    },
    faults: [
      {
        path: 'secrets["s3/app"].settings.sessionPolicy',
        found: "an object with statements",
        allowed: 'an IAM policy: Version "2012-10-17" and Statement',
        change: "write it as an IAM policy",
      },
    ],
  },
  {
    name: "ElastiCache without a replication group",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      delete d.secrets["redis/app"].settings.replicationGroup;
    },
    faults: [
      {
        path: 'secrets["redis/app"].environments.dev.settings.replicationGroup',
        found: "nothing",
        allowed: "the id of the ElastiCache replication group, with engine elasticache",
        change: "add it",
      },
      {
        path: 'secrets["redis/app"].environments.prod.settings.replicationGroup',
        found: "nothing",
        allowed: "the id of the ElastiCache replication group, with engine elasticache",
        change: "add it",
      },
    ],
  },
  {
    name: "ElastiCache with an ACL user",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      d.secrets["redis/app"].settings.user = "app";
      d.secrets["redis/app"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["redis/app"].settings.user',
        found: '"app"',
        allowed: "no user with engine elasticache",
        change: "remove it, or choose the other engine",
      },
    ],
  },
  {
    name: "users of ElastiCache and MemoryDB without what names them, or with another engine's names",
    change: (d) => {
      const inDev = { ...redisToken(), environments: { prod: { presence: "absent" } } };
      const host = "redis.example.com";
      d.secrets["redis/default"] = { ...inDev, settings: { host, engine: "memorydb-user", user: "default" } };
      d.secrets["redis/group"] = {
        ...inDev,
        settings: { host, engine: "memorydb-user", user: "app", userId: "app", replicationGroup: "app" },
      };
      d.secrets["redis/unnamed"] = { ...inDev, settings: { host, engine: "elasticache-user", user: "app" } };
    },
    faults: [
      {
        path: 'secrets["redis/default"].settings.user',
        found: '"default"',
        allowed:
          "the name of a MemoryDB user of your own: lower-case letters, digits and hyphens, not default",
        change: "make a user of your own: MemoryDB's default user cannot be changed",
      },
      {
        path: 'secrets["redis/group"].settings.replicationGroup',
        found: '"app"',
        allowed: "no replicationGroup with engine memorydb-user",
        change: "remove it, or choose the other engine",
      },
      {
        path: 'secrets["redis/group"].settings.userId',
        found: '"app"',
        allowed: "no userId with engine memorydb-user",
        change: "remove it, or choose the other engine",
      },
      {
        path: 'secrets["redis/unnamed"].environments.dev.settings.userId',
        found: "nothing",
        allowed: "the id of the ElastiCache user, with engine elasticache-user",
        change: "add it",
      },
    ],
  },
  {
    name: "ElastiCache's own default user",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      d.secrets["redis/app"].settings = {
        host: "redis.example.com",
        engine: "elasticache-user",
        user: "default",
        userId: "default",
      };
    },
    faults: [
      {
        path: 'secrets["redis/app"].settings.userId',
        found: '"default"',
        allowed: "the id of a user of your own: lower-case letters, digits and hyphens, not default",
        change:
          "make a user of your own; for ElastiCache's default user give it the user name default and another id",
      },
    ],
  },
  {
    name: "two rotators for one ElastiCache user, by whatever caches",
    change: (d) => {
      const of = (host: string) => ({
        ...redisToken(),
        environments: { prod: { presence: "absent" } },
        settings: { host, engine: "elasticache-user", user: "app", userId: "app" },
      });
      d.secrets["redis/app"] = of("one.example.com");
      d.secrets["redis/two"] = of("two.example.com");
    },
    faults: [
      {
        path: 'secrets["redis/two"].environments.dev.settings',
        found: 'the ElastiCache user app, which secrets["redis/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "Redis without TLS",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      d.secrets["redis/app"].settings.tls = false;
    },
    faults: [
      {
        path: 'secrets["redis/app"].settings.tls',
        found: "false",
        allowed: "true, and nothing else",
        change: "remove it",
      },
    ],
  },
  {
    name: "live Stripe keys outside of production",
    change: (d) => {
      d.secrets["payments/stripe"].environments.dev.settings.mode = "live";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.mode',
        found: '"live" in dev, whose tier is development',
        allowed: "live tokens in production, and only there",
        change: "choose test",
      },
    ],
  },
  {
    name: "test Stripe keys in production",
    change: (d) => {
      d.secrets["payments/stripe"].environments.prod.settings.mode = "test";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.mode',
        found: '"test" in prod, whose tier is production',
        allowed: "live tokens in production, and only there",
        change: "choose live, or another tier",
      },
    ],
  },
  {
    name: "PayPal's sandbox with the host of its live world",
    change: (d) => {
      d.secrets["payments/stripe"].kind = "paypal";
      d.secrets["payments/stripe"].environments.dev.settings = {
        mode: "sandbox",
        account: "shop",
        apiUrl: "https://api-m.paypal.com",
      };
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.apiUrl',
        found: "api-m.paypal.com",
        allowed: "a host of PayPal's sandbox world",
        change: "remove it: the mode says where PayPal is",
      },
    ],
  },
  {
    name: "a Stripe account by its name",
    change: (d) => {
      d.secrets["payments/stripe"].environments.dev.settings.accountId = "sandbox";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.accountId',
        found: '"sandbox"',
        allowed: "a Stripe account id such as acct_1Nv0FGQ9RKHgCVdK",
        change: "copy it from Stripe",
      },
    ],
  },
  {
    name: "Stripe's keys by API without what they need",
    change: (d) => {
      d.secrets["payments/stripe"].rotation = "automatic";
      d.secrets["payments/stripe"].admin = "admin/db";
      d.secrets["payments/stripe"].environments.dev = { presence: "absent" };
      Object.assign(d.secrets["payments/stripe"].environments.prod.settings, {
        webhookUrl: "https://shop.example.com/stripe",
        publishableKey: ["pk", "test", "1"].join("_"),
        keyPermissions: ["balance_read", "charge_write"],
      });
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.accountId',
        found: "nothing",
        allowed: "the account in which the app of the admin secret is installed, with rotation automatic",
        change: "add it, or choose operator-assisted",
      },
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.keyPermissions',
        found: "no webhook_read, webhook_write",
        allowed:
          "the permissions that rotation itself uses: it reads the balance, and makes the endpoints of webhookUrl",
        change: "add them",
      },
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.publishableKey',
        found: "a key of the other mode",
        allowed: "pk_live_…",
        change: "copy the one of this mode",
      },
    ],
  },
  {
    name: "an overlap not longer than Stripe tries to deliver an event again",
    change: (d) => {
      d.secrets["payments/stripe"].overlap = hours(7);
      d.secrets["payments/stripe"].environments.dev = { presence: "absent" };
      d.secrets["payments/stripe"].environments.prod.settings.webhookUrl = "https://shop.example.com/stripe";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].overlap',
        found: "7 hours",
        allowed:
          "longer than 4745 minutes: refresh interval, reload margin and what the kind's acceptors need beyond",
        change: "lengthen it, or remove it for the default",
      },
    ],
  },
  {
    name: "a setting of the kind that is missing",
    change: (d) => {
      delete d.secrets["db/app"].environments.prod.settings.host;
    },
    faults: [
      {
        path: 'secrets["db/app"].environments.prod.settings.host',
        found: "nothing",
        allowed: "a value (string)",
        change: "add it",
      },
    ],
  },
  {
    name: "a setting of the kind that does not exist",
    change: (d) => {
      d.secrets["db/app"].settings.hostname = "db";
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.hostname',
        found: "a setting that does not exist",
        allowed:
          "host, writerHost, port, server, caPem, database, role, adopt, schemas, exceptObjects, privileges, lockGrace, data, login, connectionUser, ttl, maxTtl",
        change: "remove it",
      },
    ],
  },
  {
    name: "a role name that is too long for its pair",
    change: (d) => {
      d.secrets["db/app"].settings.role = "r".repeat(62);
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.role',
        found: '"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"',
        allowed: "at most 61 bytes, so that <role>_a fits PostgreSQL's 63",
        change: "shorten the role's name",
      },
    ],
  },
  {
    name: "two workloads on one ServiceAccount",
    change: (d) => {
      d.workloads.payments = { namespace: "backend", serviceAccount: "backend" };
      d.accessRules = {};
    },
    faults: [
      {
        path: "workloads.payments.serviceAccount",
        found: 'backend/backend, the ServiceAccount of "backend"',
        allowed: "a ServiceAccount of its own for each workload",
        change: "give one of them another ServiceAccount, or make them one workload",
      },
    ],
  },
  {
    name: "two rotators for one database user",
    change: (d) => {
      d.secrets["db/other"] = { ...d.secrets["db/app"], settings: { database: "other", role: "app" } };
    },
    faults: [
      {
        path: 'secrets["db/other"].environments.dev.settings',
        found: 'the database user app on db.dev.example.com:5432, which secrets["db/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
      {
        path: 'secrets["db/other"].environments.prod.settings',
        found: 'the database user app on db.prod.example.com:5432, which secrets["db/app"] rotates in prod',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "a rotator for one login of another's pair",
    change: (d) => {
      d.secrets["db/ro"] = {
        ...vaultDatabase(),
        settings: { host: "db.dev.example.com", database: "app", role: "app_b", login: "static" },
        environments: { prod: { presence: "absent" } },
      };
    },
    faults: [
      {
        path: 'secrets["db/ro"].environments.dev.settings',
        found: 'the database user app_b on db.dev.example.com:5432, which secrets["db/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "two rotators for one IAM user, across environments",
    change: (d) => {
      d.secrets["s3/app"] = s3Key();
      d.secrets["s3/app"].environments.prod.settings.user = "s3-dev";
      d.environments.prod.account = d.environments.dev.account;
      for (const list of ["operators", "approvers", "breakGlass"]) d.environments.prod.principals[list] = [];
      d.environments.prod.principals.deployer = d.environments.dev.principals.deployer;
      d.environments.prod.approval = "none";
    },
    faults: [
      {
        path: 'secrets["s3/app"].environments.prod.settings',
        found: 'the IAM user s3-dev of account 111122223333, which secrets["s3/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "two rotators for one replication group",
    change: (d) => {
      d.secrets["redis/app"] = { ...redisToken(), environments: { prod: { presence: "absent" } } };
      d.secrets["redis/two"] = { ...redisToken(), environments: { prod: { presence: "absent" } } };
    },
    faults: [
      {
        path: 'secrets["redis/two"].environments.dev.settings',
        found: 'the auth token of replication group app, which secrets["redis/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "a trust policy over 2,048 characters",
    change: (d) => {
      for (const n of [2, 3, 4, 5, 6])
        d.environments.dev.clusters.push({
          ...d.environments.dev.clusters[0],
          name: `dev-${n}`,
          issuer: `https://oidc.example.com/id/${"X".repeat(60)}${n}`,
        });
    },
    faults: [
      {
        path: "workloads.backend",
        found: "a trust policy of 2890 characters in dev, for 6 clusters",
        allowed: "2048 characters, as IAM takes trust policies",
        change: 'choose identity "pod-identity" (EKS Pod Identity) for dev, or fewer clusters',
      },
      {
        path: "workloads.payments",
        found: "a trust policy of 2902 characters in dev, for 6 clusters",
        allowed: "2048 characters, as IAM takes trust policies",
        change: 'choose identity "pod-identity" (EKS Pod Identity) for dev, or fewer clusters',
      },
    ],
  },
  {
    name: "a public file of a kind without a public half",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "public" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files',
        found: 'format "public" of a postgresql-user',
        allowed: "format public where the kind has a public half, such as a JWKS",
        change: "choose json, env or template",
      },
    ],
  },
  {
    name: "two files of a workload at one path",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", path: "all.json" }];
      d.secrets["crypto/webhook"].files = [{ format: "json", path: "all.json" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files',
        found: 'all.json for backend, which secrets["crypto/webhook"] renders too',
        allowed: "a path of its own for each file of a workload",
        change: "give one of them another `path`",
      },
    ],
  },
  {
    name: "a template without the secret's path",
    change: (d) => {
      d.secrets["db/app"].files = [
        { format: "template", path: "x.conf", template: '{{ with secret "kv/data/x" }}{{ end }}' },
      ];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].template',
        found: '"{{ with secret \\"kv/data/x\\" }}{{ end }}"',
        allowed: "a template that reads the secret at SECRET_PATH",
        change: 'write {{ with secret "SECRET_PATH" }} … {{ end }}: the path differs per environment',
      },
    ],
  },
  {
    name: "a template in another format",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", template: "SECRET_PATH" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].template',
        found: '"SECRET_PATH"',
        allowed: "`template` text with format `template`, and only there",
        change: "add the template, or choose another format",
      },
    ],
  },
  {
    name: "a template without a path of its file",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "template", template: "SECRET_PATH" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].path',
        found: "nothing",
        allowed: "a path for a template's file",
        change: "add `path`: a template has no ending of its own",
      },
    ],
  },
  {
    name: "a file path that leaves the folder",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", path: "../x" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].path',
        found: '"../x"',
        allowed: "a relative path of letters, digits, dots, hyphens and underscores",
        change: "give a path below /vault/secrets, without ..",
      },
    ],
  },
  {
    name: "a file mode that is none",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", mode: "rw" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].mode',
        found: '"rw"',
        allowed: "four octal digits such as 0400",
        change: "write the mode as a string of four octal digits",
      },
    ],
  },
  {
    name: "an environment prefix that no shell takes",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "env", prefix: "db-" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].prefix',
        found: '"db-"',
        allowed: "capitals, digits and underscores, such as DB_",
        change: "use a prefix that a shell takes",
      },
    ],
  },
  {
    name: "role names that collide",
    change: (d) => {
      d.environments["dev-x"] = {
        ...d.environments.dev,
        namespacePattern: "{namespace}-{environment}",
        vaults: [{ ...d.environments.dev.vaults[0], address: "https://two.example.com" }],
      };
      d.workloads = { ...d.workloads, "x-backend": { namespace: "x" } };
      d.secrets["db/app"].environments["dev-x"] = { presence: "absent" };
      d.secrets["payments/stripe"].environments["dev-x"] = { presence: "absent" };
    },
    faults: [
      {
        path: "workloads.backend",
        found:
          "acme-dev-x-backend from workload backend in dev-x, the same as from workload x-backend in dev",
        allowed: "names that differ among the IAM roles of account 111122223333",
        change: "rename one of the two, so that the derived names differ",
      },
    ],
  },
  {
    name: "two environments that make the same auth mount",
    change: (d) => {
      d.environments.prod.vaults[0].address = d.environments.dev.vaults[0].address;
      Object.assign(d.environments.prod.clusters[0], {
        name: "dev-one",
        apiServer: "https://api.dev.example.com",
      });
    },
    faults: [
      {
        path: "environments.prod.clusters[0]",
        found: "auth/kubernetes-dev-one from Vault main in prod, the same as from Vault main in dev",
        allowed: "names that differ among the mounts of Vault https://vault.dev.example.com:8200",
        change: "name another `authMount` for one of them: each environment has its own login of its pods",
      },
    ],
  },
  {
    name: "two environments that make the same OIDC provider",
    change: (d) => {
      d.environments.two = {
        ...d.environments.dev,
        namespacePattern: "{namespace}-{environment}",
        vaults: [{ ...d.environments.dev.vaults[0], address: "https://two.example.com" }],
      };
      d.environments.two.clusters = d.environments.dev.clusters.map((c: Draft) => ({
        ...c,
        oidcProvider: "create",
      }));
      d.environments.dev.clusters[0].oidcProvider = "create";
      d.secrets["db/app"].environments.two = { presence: "absent" };
      d.secrets["payments/stripe"].environments.two = { presence: "absent" };
    },
    faults: [
      {
        path: "environments.two.clusters[0].oidcProvider",
        found:
          "https://oidc.example.com/id/DEV from cluster dev-one in two, the same as from cluster dev-one in dev",
        allowed: "names that differ among the IAM OIDC providers of account 111122223333",
        change: 'let one of them create the provider, and the other refer to it (oidcProvider: "reference")',
      },
    ],
  },
  {
    name: "names that become one Terraform address",
    change: (d) => {
      d.environments.dev.clusters.push({
        ...d.environments.dev.clusters[0],
        name: "DEV-one",
        issuer: "https://oidc.example.com/id/TWO",
      });
    },
    faults: [
      {
        path: "environments.dev.clusters[1].name",
        found: "dev-one from DEV-one, the same as from dev-one",
        allowed: "names that differ among the Terraform addresses of clusters in dev",
        change: "rename one of the two, so that the derived names differ",
      },
    ],
  },
  {
    name: "an environment's name with a slash",
    change: (d) => {
      d.environments["eu/dev"] = d.environments.dev;
      delete d.environments.dev;
      delete d.secrets["db/app"].environments.dev;
      delete d.secrets["payments/stripe"].environments.dev;
    },
    faults: [
      {
        path: 'environments["eu/dev"]',
        found: '"eu/dev"',
        allowed:
          "lower-case letters, digits and single hyphens, beginning with a letter, at most 40 characters",
        change: "choose a name of that form: it becomes part of role names, policy names and paths",
      },
    ],
  },
  {
    name: "a namespace that is none",
    change: (d) => {
      d.workloads.backend.namespace = "Backend";
    },
    faults: [
      {
        path: "workloads.backend.namespace",
        found: '"Backend"',
        allowed: "an RFC 1123 label: lower-case letters, digits, hyphens inside, at most 63 characters",
        change: "use the name as Kubernetes knows it",
      },
    ],
  },
  {
    name: "a registry id that is too long",
    change: (d) => {
      d.id = "a-registry-with-a-long-name";
    },
    faults: [
      {
        path: "id",
        found: '"a-registry-with-a-long-name"',
        allowed: "at most 24 characters",
        change: "shorten it: it is part of every role name",
      },
    ],
  },
  {
    name: "a production environment that nobody may approve in",
    change: (d) => {
      delete d.environments.prod.principals.approvers;
    },
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
    faults: [
      {
        path: "environments.dev.changeRequest",
        found: "true",
        allowed: "one of required, none",
        change: "choose one of them",
      },
    ],
  },
  {
    name: "a health check without a URL in one environment",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health" } };
      d.workloads.backend.environments = { dev: { checks: { ready: { url: "https://dev.example.com/" } } } };
    },
    faults: [
      {
        path: "workloads.backend.environments.prod.checks.ready.url",
        found: "nothing",
        allowed: "the URL of the check in prod",
        change:
          'add it, give workloads.backend.checks a URL for all environments, or write "none" where the check does not run',
      },
    ],
  },
  {
    name: "a misspelt health check in an environment",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health", url: "https://example.com/" } };
      d.workloads.backend.environments = { dev: { checks: { raedy: { status: 204 } } } };
    },
    faults: [
      {
        path: "workloads.backend.environments.dev.checks.raedy",
        found: '"raedy", which is no check of workloads.backend.checks and has no type of its own',
        allowed: "one of ready, or a check with type and url",
        change: 'did you mean "ready"?',
      },
    ],
  },
  {
    name: "switching off a health check that does not exist",
    change: (d) => {
      d.workloads.backend.environments = { dev: { checks: { checkout: "none" } } };
    },
    faults: [
      {
        path: "workloads.backend.environments.dev.checks.checkout",
        found: '"checkout", which is no check of workloads.backend.checks and has no type of its own',
        allowed: "a check with type and url",
        change: "complete it, or remove it",
      },
    ],
  },
  {
    name: "a health check over clear text",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health", url: "http://example.com/health" } };
    },
    faults: [
      {
        path: "workloads.backend.checks.ready.url",
        found: '"http://example.com/health"',
        allowed: "an https URL (http on loopback only)",
        change: "give the full https URL without user or password",
      },
    ],
  },
  {
    name: "a health check whose URL Terraform would read as an expression",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health", url: "https://example.com/${var.path}" } };
    },
    faults: [
      {
        path: "workloads.backend.checks.ready.url",
        found: '"https://example.com/${var.path}"',
        allowed:
          "an https URL (http on loopback only) without fragment, white space, quotes, braces or dollar signs",
        change: "leave the fragment out, and write other characters as %XX",
      },
    ],
  },
  {
    name: "a health check of a type, a status, a time-out and a name that do not exist",
    change: (d) => {
      const url = "https://example.com/";
      d.workloads.backend.checks = {
        one: { type: "smoke", url },
        two: { type: "health", url, status: 99 },
        three: { type: "health", url, timeout: minutes(5) },
      };
      d.workloads.payments.checks = { Health_1: { type: "health", url } };
    },
    faults: [
      {
        path: "workloads.backend.checks.one.type",
        found: '"smoke"',
        allowed: "one of health, synthetic",
        change: "choose one of them",
      },
      {
        path: "workloads.backend.checks.three.timeout",
        found: "5 minutes",
        allowed: "1 to 60 seconds",
        change: "choose seconds(60) or less: the check is tried again anyway",
      },
      {
        path: "workloads.backend.checks.two.status",
        found: "99",
        allowed: "at least 100",
        change: "raise it",
      },
      {
        path: "workloads.payments.checks.Health_1",
        found: '"Health_1"',
        allowed:
          "lower-case letters, digits and single hyphens, beginning with a letter, at most 40 characters",
        change: "choose a name of that form: it becomes part of role names, policy names and paths",
      },
    ],
  },
  {
    name: "a setting of a health check that does not exist",
    change: (d) => {
      d.workloads.backend.environments = {
        dev: { checks: { ready: { type: "health", url: "https://example.com/", retries: 3 } } },
      };
    },
    faults: [
      {
        path: "workloads.backend.environments.dev.checks.ready.retries",
        found: "a setting that does not exist",
        allowed: "type, url, status, contains, timeout",
        change: "remove it",
      },
    ],
  },
  {
    name: "a consumer that reads at its start only what Vault changes by itself",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.workloads.backend.reload = { how: "redeploy" };
    },
    faults: [
      {
        path: 'secrets["db/ro"].consumers',
        found: 'backend, which reads at its start only (reload "redeploy")',
        allowed:
          "consumers that take up a changed file: Vault makes a user for each of a pod's two agents, and each ends with its agent's token, while the pod lives",
        change:
          'set workloads.backend.reload to { how: "file-watch" } or { how: "command", … }, or let it consume a secret with store "aws"',
      },
    ],
  },
  {
    name: "a consumer that reads at its start only a password that Vault changes",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.login = "static";
      d.workloads.backend.reload = { how: "redeploy" };
    },
    faults: [
      {
        path: 'secrets["db/ro"].consumers',
        found: 'backend, which reads at its start only (reload "redeploy")',
        allowed:
          "consumers that take up a changed file: Vault changes this password on its own cadence, and no rotation restarts anybody",
        change:
          'set workloads.backend.reload to { how: "file-watch" } or { how: "command", … }, or let it consume a secret with store "aws"',
      },
    ],
  },
  {
    name: "a lease that leaves applications less time for its successor than they may need",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.ttl = hours(9);
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.ttl',
        found: "9 hours, with a reloadMargin of 1 hour in dev",
        allowed:
          "at least 10 hours: an agent asks for the next user when a tenth of a lease is left, and applications have the reload margin to take it up",
        change: "lengthen it, or shorten environments.dev.reloadMargin",
      },
    ],
  },
  {
    name: "two clusters on one Vault, which has tokens reviewed by one of them",
    change: (d) => {
      d.environments.dev.vaults[0].address = d.environments.prod.vaults[0].address;
    },
    faults: [
      {
        path: "environments.prod.vaultAuth",
        found:
          '"kubernetes", with clusters dev-one and prod-one on the Vault at https://vault.prod.example.com:8200',
        allowed:
          "one cluster for each Vault: it has tokens reviewed by the cluster in which it runs, which knows no other's",
        change: 'set environments.prod.vaultAuth to "jwt", or give each cluster a Vault of its own',
      },
    ],
  },
  {
    name: "a workload in a cluster that no environment has",
    change: (d) => {
      d.workloads.backend.clusters = ["dev-one", "prod-on"];
    },
    faults: [
      {
        path: "workloads.backend.clusters[1]",
        found: '"prod-on"',
        allowed: "clusters: dev-one, prod-one",
        change: 'write "prod-one"',
      },
    ],
  },
  {
    name: "a workload that lives nowhere in an environment in which it has secrets",
    change: (d) => {
      d.workloads.payments.clusters = ["prod-one"];
    },
    faults: [
      {
        path: "workloads.payments.clusters",
        found: "prod-one, none of which is in dev, where it consumes payments/stripe",
        allowed: "a cluster of dev: dev-one",
        change: "name one of them in workloads.payments.environments.dev.clusters",
      },
    ],
  },
  {
    name: "a cadence without its unit",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = 30;
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "30",
        allowed: "a length of time, such as days(30)",
        change: "write days(30), or hours(…) or minutes(…)",
      },
    ],
  },
  {
    name: "a former key that is none",
    change: (d) => {
      d.secrets["db/app"].renamedFrom = "Prod_Orders.DB";
    },
    faults: [
      {
        path: 'secrets["db/app"].renamedFrom',
        found: '"Prod_Orders.DB"',
        allowed:
          "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
        change: "rename the key, such as db/app-primary",
      },
    ],
  },
  {
    name: "a misspelt setting of one of several forms",
    change: (d) => {
      d.workloads.backend.reload = { how: "redeploy", deploymnt: "api" };
    },
    faults: [
      {
        path: "workloads.backend.reload.deploymnt",
        found: "a setting that does not exist",
        allowed: "how, command, deployment",
        change: 'write "deployment"',
      },
    ],
  },
  {
    name: "an unknown consumer among very many",
    change: (d) => {
      for (let index = 10; index < 40; index += 1) d.workloads[`worker-${index}`] = { namespace: "workers" };
      d.secrets["db/app"].consumers = ["worker-1O"];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[0]',
        found: '"worker-1O", which is no workload',
        allowed: "one of 32 names, such as worker-10, worker-11, worker-12",
        change: 'did you mean "worker-10"?',
      },
    ],
  },
  {
    name: "a file that the application cannot read",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", mode: "0400" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files',
        found: "mode 0400 for backend, whose agent runs as a user of its own",
        allowed: "a mode by which the application can read the file",
        change: "name workloads.backend.runAsUser, as whom the agent runs too, or choose mode 0644",
      },
    ],
  },
  {
    name: "an agent that asks for more than it may have",
    change: (d) => {
      d.workloads.backend.agentResources = { limits: { cpu: "", memory: "32Mi" } };
    },
    faults: [
      {
        path: "workloads.backend.agentResources.limits.memory",
        found: "64Mi requested, and at most 32Mi",
        allowed: "a request that is not above its limit",
        change: "lower the request, or raise the limit",
      },
    ],
  },
  {
    name: "a template with a longer word than the one that stands for the path",
    change: (d) => {
      d.secrets["db/app"].files = [
        { format: "template", path: "x", template: "MY_SECRET_PATH SECRET_PATHS" },
      ];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].template',
        found: '"MY_SECRET_PATH SECRET_PATHS"',
        allowed: "a template that reads the secret at SECRET_PATH",
        change: 'write {{ with secret "SECRET_PATH" }} … {{ end }}: the path differs per environment',
      },
    ],
  },
  {
    name: "one Vault namespace twice, once with a slash",
    change: (d) => {
      const { dev, prod } = d.environments;
      dev.vaults[0] = { ...dev.vaults[0], namespace: "team", deployer: "names" };
      prod.vaults[0] = { ...prod.vaults[0], address: dev.vaults[0].address, namespace: "/team/" };
      dev.vaultAuth = "jwt";
      prod.vaultAuth = "jwt";
    },
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
    name: "a restart of another Deployment than the one that is patched",
    change: (d) => {
      d.workloads.backend.delivery = { how: "patch", deployment: "api" };
      d.workloads.backend.reload = { how: "redeploy", deployment: "web" };
    },
    faults: [
      {
        path: "workloads.backend.reload.deployment",
        found: '"web"',
        allowed: '"api", the Deployment that delivery patches',
        change: "remove it, or name the same Deployment in both places",
      },
    ],
  },
  {
    name: "a description that IAM does not take",
    change: (d) => {
      d.workloads.backend.description = "API — the backend";
    },
    faults: [
      {
        path: "workloads.backend.description",
        found: '"API — the backend"',
        allowed: "one line of Latin-1 text, at most 256 characters, as IAM takes descriptions",
        change: "leave out other characters, such as long dashes and curly quotes",
      },
    ],
  },
  {
    name: "an owner that AWS does not take as a tag",
    change: (d) => {
      d.secrets["db/app"].owner = "team <a>";
    },
    faults: [
      {
        path: 'secrets["db/app"].owner',
        found: '"team <a>"',
        allowed: "letters, digits, spaces and _ . : / = + - @, at most 256 characters, as AWS tags take them",
        change: "leave out other characters: it becomes a tag",
      },
    ],
  },
  {
    name: "a setting of a secret that does not exist",
    change: (d) => {
      d.secrets["db/app"].rotateevery = days(30);
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateevery',
        found: "a setting that does not exist",
        allowed:
          "kind, description, owner, consumers, rotateEvery, schedule, store, acceptedBy, rotation, dualWrite, overlap, classification, files, admin, network, renamedFrom, retired, settings, environments",
        change: 'write "rotateEvery"',
      },
    ],
  },
  {
    name: "a part of the registry that does not exist",
    change: (d) => {
      d.secret = {};
    },
    faults: [
      {
        path: "secret",
        found: "a part that does not exist",
        allowed: "one of id, environments, workloads, secrets, accessRules",
        change: "remove it, or correct its spelling",
      },
    ],
  },
  {
    name: "a part of the registry that is missing",
    change: (d) => {
      delete d.workloads;
    },
    faults: [
      {
        path: "workloads",
        found: "nothing",
        allowed: "an object whose properties are the entries",
        change: "add it",
      },
    ],
  },
  {
    name: "a credential in the registry",
    change: (d) => {
      d.secrets["payments/stripe"].environments.dev.settings.account = "sk_" + "test_" + "4eC39HqLyjWDarjt";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.account',
        found: "a text that looks like a credential (not shown)",
        allowed: "no secret value: the registry describes secrets, it does not hold them",
        change: "remove it, and rotate that credential: it has been in a file",
      },
    ],
  },
];

function faultsOf(definition: Draft): readonly Fault[] {
  try {
    defineRegistry(definition);
  } catch (error) {
    if (error instanceof RegistryError) return error.faults;
    throw error;
  }
  return [];
}

test("the definition that the cases change is valid", () => {
  expect(faultsOf(draft())).toEqual([]);
});

test.each(CASES)("$name", ({ change, faults }) => {
  const definition = draft();
  change(definition);
  expect(faultsOf(definition)).toEqual(faults);
});

test("all faults come at once, sorted by place, each with its four lines", () => {
  const definition = draft();
  definition.environments.dev.account = "1234";
  definition.secrets["db/app"].rotateEvery = hours(12);
  definition.secrets["payments/stripe"].consumers.push("backend");
  const faults = faultsOf(definition);
  expect(faults.map(({ path }) => path)).toEqual([
    "environments.dev.account",
    'secrets["db/app"].rotateEvery',
    'secrets["payments/stripe"].consumers[1]',
  ]);
  expect(() => defineRegistry(definition)).toThrow(
    ["The registry has 3 faults:", ...faults.map(formatFault)].join("\n\n"),
  );
  expect(formatFault(faults[1] as Fault)).toBe(
    [
      'secrets["db/app"].rotateEvery',
      "  found:   12 hours",
      "  allowed: 1 to 1000 whole days, as Secrets Manager takes them",
      "  change:  choose days(1) to days(1000)",
    ].join("\n"),
  );
});

test.each([null, undefined, 1, "registry", [], () => {}, { environments: [], workloads: 3, secrets: "x" }])(
  "what is no definition at all (%p) is a RegistryError",
  (definition) => {
    expect(() => defineRegistry(definition as Draft)).toThrow(RegistryError);
  },
);

test("a credential is named by its place and never repeated", () => {
  const definition = draft();
  const credential = ["sk", "live", "51HabcdefghijklmnopQRST"].join("_");
  definition.secrets["payments/stripe"].environments.prod.settings.account = credential;
  definition.secrets["payments/stripe"].environments.prod.settings.mode = credential;
  let message = "";
  try {
    defineRegistry(definition);
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain('secrets["payments/stripe"].environments.prod.settings.account');
  expect(message).not.toContain(credential);
});
