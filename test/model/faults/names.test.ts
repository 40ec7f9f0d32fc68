import { mergeSecrets } from "../../../lib/model";
import type { Draft } from "../sample";
import { type FaultCase, testFaults } from "./fault-case";

/** Faults of names: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a registry and an environment whose names leave no room for what follows them",
    change: (d) => {
      d.id = "a-registry-of-a-company";
      d.environments["production-in-frankfurt"] = d.environments.prod;
      delete d.environments.prod;
      for (const secret of Object.values<Draft>(d.secrets)) {
        if (secret.environments?.prod === undefined) continue;
        secret.environments["production-in-frankfurt"] = secret.environments.prod;
        delete secret.environments.prod;
      }
    },
    ways: [
      (d) => {
        d.id = "company";
      },
    ],
    faults: [
      {
        path: 'environments["production-in-frankfurt"]',
        found: "a-registry-of-a-company-production-in-frankfurt, 47 characters",
        allowed:
          "registry and environment of 45 characters together: names of functions, roles and rules begin with both, and end at 64",
        change: "shorten the environment's name, or the registry's id",
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
    ways: [
      (d) => {
        d.secrets = { ...d.secrets };
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
    ways: [
      (d) => {
        d.secrets["db/app-primary"] = d.secrets["DB/app"];
        delete d.secrets["DB/app"];
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
    ways: [
      (d) => {
        d.secrets["db/app-primary"] = d.secrets["db.app"];
        delete d.secrets["db.app"];
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
    ways: [
      (d) => {
        d.secrets["db/app-primary"] = d.secrets["db--app2"];
        delete d.secrets["db--app2"];
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
    ways: [
      (d) => {
        d.secrets["db/app-primary"] = d.secrets["db/"];
        delete d.secrets["db/"];
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
    ways: [
      (d) => {
        d.secrets["db/app-masters"] = d.secrets["db/app-master"];
        delete d.secrets["db/app-master"];
      },
      (d) => {
        d.secrets["db/app-maste"] = d.secrets["db/app-master"];
        delete d.secrets["db/app-master"];
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
    ways: [
      (d) => {
        d.secrets["db/app"].renamedFrom = "db/app-masters";
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
    ways: [
      (d) => {
        d.secrets["db/app-primary"] = d.secrets["crypto/webhook"];
        delete d.secrets["k".repeat(201)];
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
    ways: [
      (d) => {
        d.secrets["db/app"].settings.role = "r".repeat(61);
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
    ways: [
      (d) => {
        d.environments.dev.identity = "pod-identity";
        d.environments.dev.vaultAuth = "jwt";
      },
      (d) => {
        d.environments.dev.clusters.splice(4);
      },
    ],
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
    ways: [
      (d) => {
        d.workloads["x-api"] = d.workloads["x-backend"];
        delete d.workloads["x-backend"];
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
    ways: [
      (d) => {
        d.environments.prod.clusters[0].authMount = "prod";
      },
    ],
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
    ways: [
      (d) => {
        for (const cluster of d.environments.two.clusters) cluster.oidcProvider = "reference";
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.clusters.pop();
      },
    ],
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
    ways: [
      (d) => {
        d.environments["eu-dev"] = d.environments["eu/dev"];
        delete d.environments["eu/dev"];
        d.secrets["db/app"].environments["eu-dev"] = { settings: { host: "db.dev.example.com" } };
        d.secrets["payments/stripe"].environments["eu-dev"] = {
          settings: { mode: "test", account: "sandbox" },
        };
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
    ways: [
      (d) => {
        d.workloads.backend.namespace = "backend";
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
    ways: [
      (d) => {
        d.id = "acme";
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
    ways: [
      (d) => {
        d.secrets["db/app"].renamedFrom = "db/app-primary";
      },
    ],
  },
];

testFaults(CASES);
