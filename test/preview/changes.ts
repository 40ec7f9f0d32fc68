import { days, hours } from "../../lib/model";
import { type Draft, genericPassword, redisToken, s3Key, vaultDatabase } from "../model/sample";

/** A change of a registry by its name; `before` prepares the base where the sample has nothing to change. */
export interface RegistryChange {
  readonly name: string;
  readonly before?: (draft: Draft) => void;
  readonly change: (draft: Draft) => void;
}

const webhook = (draft: Draft): Draft => draft.secrets["crypto/webhook"];
const prod = (draft: Draft): Draft => draft.environments.prod;
const other = "arn:aws:iam::444455556666:role/other";

const withVaultDatabase = (draft: Draft): void => {
  draft.secrets["db/reporting"] = {
    ...vaultDatabase(),
    environments: {
      dev: { settings: { host: "ro.dev.example.com" } },
      prod: { settings: { host: "ro.prod.example.com" } },
    },
  };
};

/** Everything that people do to a registry, one at a time. */
export const CHANGES: readonly RegistryChange[] = [
  { name: "nothing", change: () => undefined },
  {
    name: "the order of everything",
    change: (draft) => {
      draft.secrets = Object.fromEntries(Object.entries(draft.secrets).reverse());
      draft.workloads = Object.fromEntries(Object.entries(draft.workloads).reverse());
    },
  },
  {
    name: "a description",
    change: (draft) => {
      webhook(draft).description = "Another text";
    },
  },
  {
    name: "an owner",
    change: (draft) => {
      webhook(draft).owner = "team-z";
    },
  },
  {
    name: "a secret added",
    change: (draft) => {
      draft.secrets["redis/app"] = redisToken();
    },
  },
  {
    name: "a supplied secret added",
    change: (draft) => {
      draft.secrets["partner/login"] = genericPassword();
    },
  },
  {
    name: "a secret of Vault added",
    change: withVaultDatabase,
  },
  {
    name: "a secret in one environment only",
    change: (draft) => {
      draft.secrets["storage/s3"] = s3Key();
      draft.secrets["storage/s3"].environments.prod = { presence: "absent" };
    },
  },
  {
    name: "a secret removed",
    change: (draft) => {
      delete draft.secrets["crypto/webhook"];
    },
  },
  {
    name: "a secret renamed without renamedFrom",
    change: (draft) => {
      draft.secrets["crypto/hooks"] = webhook(draft);
      delete draft.secrets["crypto/webhook"];
    },
  },
  {
    name: "a secret renamed with renamedFrom",
    change: (draft) => {
      draft.secrets["crypto/hooks"] = { ...webhook(draft), renamedFrom: "crypto/webhook" };
      delete draft.secrets["crypto/webhook"];
    },
  },
  {
    name: "renamedFrom taken away",
    before: (draft) => {
      draft.secrets["crypto/hooks"] = { ...webhook(draft), renamedFrom: "crypto/webhook" };
      delete draft.secrets["crypto/webhook"];
    },
    change: (draft) => {
      delete draft.secrets["crypto/hooks"].renamedFrom;
    },
  },
  {
    name: "a secret retired",
    change: (draft) => {
      webhook(draft).consumers = [];
      webhook(draft).retired = "2026-12-01";
    },
  },
  {
    name: "an optional secret opted in",
    before: (draft) => {
      webhook(draft).environments = { prod: { presence: "optional" } };
    },
    change: (draft) => {
      prod(draft).optIn = ["crypto/webhook"];
    },
  },
  {
    name: "a consumer added",
    change: (draft) => {
      webhook(draft).consumers = ["backend", "payments"];
    },
  },
  {
    name: "a consumer taken away",
    before: (draft) => {
      webhook(draft).consumers = ["backend", "payments"];
    },
    change: (draft) => {
      webhook(draft).consumers = ["backend"];
    },
  },
  {
    name: "a consumer exchanged",
    change: (draft) => {
      webhook(draft).consumers = ["payments"];
    },
  },
  {
    name: "a new workload reads a secret",
    change: (draft) => {
      draft.workloads.worker = { namespace: "worker" };
      webhook(draft).consumers = ["backend", "worker"];
    },
  },
  {
    name: "the cadence shortened",
    change: (draft) => {
      webhook(draft).rotateEvery = days(60);
    },
  },
  {
    name: "the cadence lengthened",
    change: (draft) => {
      webhook(draft).rotateEvery = days(365);
    },
  },
  {
    name: "the overlap shortened",
    before: (draft) => {
      webhook(draft).overlap = hours(48);
    },
    change: (draft) => {
      webhook(draft).overlap = hours(24);
    },
  },
  {
    name: "the overlap lengthened",
    change: (draft) => {
      webhook(draft).overlap = days(3);
    },
  },
  {
    name: "rotation by people",
    change: (draft) => {
      draft.secrets["crypto/webhook"].rotation = "manual-dual-publish";
    },
  },
  {
    name: "the classification lowered",
    change: (draft) => {
      webhook(draft).classification = "internal";
    },
  },
  {
    name: "the target moved",
    change: (draft) => {
      draft.secrets["db/app"].environments.prod.settings.host = "db2.prod.example.com";
    },
  },
  {
    name: "the kind changed",
    change: (draft) => {
      draft.secrets["crypto/webhook"] = { ...genericPassword(), consumers: ["backend"] };
    },
  },
  {
    name: "the store changed",
    before: withVaultDatabase,
    change: (draft) => {
      draft.secrets["db/reporting"].store = "aws";
      draft.secrets["db/reporting"].admin = "admin/db";
    },
  },
  {
    name: "a replica region dropped",
    change: (draft) => {
      prod(draft).regions.replicas = [];
      prod(draft).vaults[0].regions = ["eu-central-1"];
    },
  },
  {
    name: "a replica region added",
    change: (draft) => {
      prod(draft).regions.replicas = ["eu-west-1", "us-east-1"];
      prod(draft).vaults[0].regions = ["eu-central-1", "eu-west-1", "us-east-1"];
    },
  },
  {
    name: "the primary region moved",
    change: (draft) => {
      prod(draft).regions = { primary: "eu-west-1", replicas: ["eu-central-1"] };
    },
  },
  {
    name: "the namespace of a workload moved",
    change: (draft) => {
      draft.workloads.backend.namespace = "api";
    },
  },
  {
    name: "a second cluster",
    change: (draft) => {
      prod(draft).clusters.push({
        ...prod(draft).clusters[0],
        name: "prod-two",
        issuer: "https://oidc.example.com/id/TWO",
      });
    },
  },
  {
    name: "identity by Pod Identity",
    change: (draft) => {
      prod(draft).identity = "pod-identity";
    },
  },
  {
    name: "an operator more",
    change: (draft) => {
      prod(draft).principals.operators.push(other);
    },
  },
  {
    name: "an approver more",
    change: (draft) => {
      prod(draft).principals.approvers.push(other);
    },
  },
  {
    name: "another break-glass role",
    change: (draft) => {
      prod(draft).principals.breakGlass = [other];
    },
  },
  {
    name: "another deployer",
    change: (draft) => {
      prod(draft).principals.deployer = other;
    },
  },
  {
    name: "no approval any more",
    change: (draft) => {
      prod(draft).approval = "none";
    },
  },
  {
    name: "no change requests any more",
    change: (draft) => {
      prod(draft).changeRequest = "none";
    },
  },
  {
    name: "destruction no longer refused",
    change: (draft) => {
      prod(draft).preventDestroy = false;
    },
  },
  {
    name: "the recovery window shortened",
    change: (draft) => {
      prod(draft).recoveryWindow = days(7);
    },
  },
  {
    name: "the deployer moves values",
    change: (draft) => {
      prod(draft).deployerMovesValues = true;
    },
  },
  {
    name: "the deployer of a Vault bound by names only",
    before: (draft) => {
      prod(draft).vaults[0].namespace = "prod";
    },
    change: (draft) => {
      prod(draft).vaults[0].deployer = "names";
    },
  },
  {
    name: "networks of pods left open",
    before: (draft) => {
      prod(draft).clusters[0].podCidrs = ["10.0.0.0/16"];
    },
    change: (draft) => {
      delete prod(draft).clusters[0].podCidrs;
    },
  },
  {
    name: "an access rule dropped",
    change: (draft) => {
      draft.accessRules = {};
    },
  },
  {
    name: "a check taken away",
    before: (draft) => {
      draft.workloads.backend.checks = { ready: { type: "health", url: "https://api.example.com/ready" } };
    },
    change: (draft) => {
      draft.workloads.backend.checks = {};
    },
  },
  {
    name: "pods restart with each value",
    change: (draft) => {
      draft.workloads.backend.reload = { how: "redeploy" };
    },
  },
  {
    name: "the refresh interval shortened",
    change: (draft) => {
      prod(draft).refreshEvery = hours(1);
    },
  },
  {
    name: "a Vault moved",
    change: (draft) => {
      prod(draft).vaults[0].address = "https://vault.new.example.com:8200";
    },
  },
  {
    name: "a Vault added",
    change: (draft) => {
      prod(draft).vaults[0].regions = ["eu-central-1"];
      prod(draft).vaults.push({ name: "west", address: "https://west.example.com", regions: ["eu-west-1"] });
    },
  },
  {
    name: "an environment added",
    change: (draft) => {
      const account = "777788889999";
      const text = JSON.stringify(prod(draft))
        .replaceAll("444455556666", account)
        .replaceAll("prod-one", "perf-one")
        .replaceAll("id/PROD", "id/PERF");
      draft.environments.perf = { ...JSON.parse(text), tier: "staging" };
      draft.secrets["db/app"].environments.perf = { settings: { host: "db.perf.example.com" } };
      draft.secrets["payments/stripe"].environments.perf = { settings: { mode: "test", account: "perf" } };
    },
  },
  {
    name: "an environment removed",
    change: (draft) => {
      delete draft.environments.prod;
      delete draft.secrets["db/app"].environments.prod;
      delete draft.secrets["payments/stripe"].environments.prod;
    },
  },
  {
    name: "another account",
    change: (draft) => {
      draft.environments.prod = JSON.parse(
        JSON.stringify(prod(draft)).replaceAll("444455556666", "777788889999"),
      );
    },
  },
  {
    name: "another id of the registry",
    change: (draft) => {
      draft.id = "acme2";
    },
  },
];
