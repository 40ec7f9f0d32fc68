import { generateKeyPairSync } from "node:crypto";
import { days } from "../../../lib/model";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";
import { type Draft, vaultDatabase } from "../sample";
import { type FaultCase, testFaults } from "./fault-case";

/** Seven clusters, all but the first of an account each: too many for IRSA and for Pod Identity. */
function sevenAccounts(d: Draft, identity: "irsa" | "pod-identity"): void {
  const { dev } = d.environments;
  const [first] = dev.clusters;
  Object.assign(dev, { identity, vaultAuth: "jwt" });
  dev.clusters = [1, 2, 3, 4, 5, 6, 7].map((n) => ({
    ...first,
    name: `dev-${n}`,
    issuer: `https://oidc.eks.eu-central-1.amazonaws.com/id/${"A".repeat(31)}${n}`,
    account: n === 1 ? dev.account : `99999999999${n}`,
  }));
}

const someClusters = (d: Draft): void => {
  for (const workload of Object.values<Draft>(d.workloads)) {
    workload.environments = { dev: { clusters: ["dev-1", "dev-2", "dev-3"] } };
  }
};

/** Faults of clusters and Vaults: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "more clusters of other accounts than IRSA takes",
    change: (d) => sevenAccounts(d, "irsa"),
    ways: [someClusters],
    faults: ["backend", "payments"].map((workload) => ({
      path: `workloads.${workload}`,
      found: `a trust policy of ${workload === "backend" ? 3_356 : 3_370} characters in dev, for 7 clusters`,
      allowed: "2048 characters, as IAM takes trust policies",
      change: `let it live in fewer clusters: name them in workloads.${workload}.environments.dev.clusters, or make several workloads of it`,
    })),
  },
  {
    name: "more accounts of clusters than Pod Identity takes, which IRSA would not take either",
    change: (d) => sevenAccounts(d, "pod-identity"),
    ways: [someClusters],
    faults: ["backend", "payments"].map((workload) => ({
      path: `workloads.${workload}`,
      found: `a trust policy of ${workload === "backend" ? 3_278 : 3_298} characters in dev, for 7 clusters`,
      allowed: "2048 characters, as IAM takes trust policies",
      change: `let it live in fewer clusters: name them in workloads.${workload}.environments.dev.clusters, or make several workloads of it`,
    })),
  },
  {
    name: "more clusters of one other account than IRSA takes",
    change: (d) => {
      sevenAccounts(d, "irsa");
      for (const cluster of d.environments.dev.clusters) cluster.account = "999999999999";
    },
    ways: [
      (d) => {
        d.environments.dev.identity = "pod-identity";
      },
      someClusters,
    ],
    faults: ["backend", "payments"].map((workload) => ({
      path: `workloads.${workload}`,
      found: `a trust policy of ${workload === "backend" ? 3_356 : 3_370} characters in dev, for 7 clusters`,
      allowed: "2048 characters, as IAM takes trust policies",
      change: 'choose identity "pod-identity" (EKS Pod Identity) for dev, or fewer clusters',
    })),
  },
  {
    name: "a cluster whose pods have no Vault, where others have",
    change: (d) => {
      delete d.environments.dev.clusters[0].vault;
    },
    ways: [
      (d) => {
        d.environments.dev.clusters[0].vault = "main";
      },
    ],
    faults: [
      {
        path: "environments.dev.clusters[0].vault",
        found: "nothing, in an environment with Vaults",
        allowed: "the Vault that its pods use: main",
        change: "name one of them",
      },
    ],
  },
  {
    name: "a cluster with a Vault where there is none",
    change: (d) => {
      d.environments.dev.vaults = [];
    },
    faults: [
      {
        path: "environments.dev.clusters[0].vault",
        found: '"main", in an environment without a Vault',
        allowed: "no name: pods read Secrets Manager",
        change: "remove it, or add the Vault to the environment's vaults",
      },
    ],
  },
  {
    name: "a secret of Vault's own where there is no Vault",
    change: (d) => {
      d.environments.dev.vaults = [];
      delete d.environments.dev.clusters[0].vault;
      d.secrets["db/ro"] = {
        ...vaultDatabase(),
        environments: { prod: { settings: { host: "other.example.com" } } },
      };
    },
    ways: [
      (d) => {
        d.secrets["db/ro"].environments.dev = { presence: "absent" };
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].store',
        found: '"vault", and dev has no Vault',
        allowed: "a store that the environment has",
        change:
          'set secrets["db/ro"].environments.dev to { presence: "absent" }, or add a Vault to environments.dev.vaults',
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
    name: "an issuer that is no https URL",
    change: (d) => {
      d.environments.dev.clusters[0].issuer = "oidc.example.com/id/DEV";
    },
    ways: [
      (d) => {
        d.environments.dev.clusters[0].issuer = "https://oidc.example.com/id/DEV";
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.awsTokenIssuer = "https://dev.tokens.sts.global.api.aws";
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.vaults[0].address = "https://vault.example.com:8200";
      },
    ],
  },
  {
    name: "a Vault address with a path",
    change: (d) => {
      d.environments.dev.vaults[0].address = "https://vault.example.com/v1";
    },
    ways: [
      (d) => {
        d.environments.dev.vaults[0].address = "https://vault.example.com";
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.vaults[0].caPem = loopbackCertificate("Vault").certificatePem;
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
    ways: [
      (d) => {
        d.environments.dev.clusters[0].issuerKeys = [
          generateKeyPairSync("ec", { namedCurve: "P-256" })
            .publicKey.export({ type: "spki", format: "pem" })
            .toString(),
        ];
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
    ways: [
      (d) => {
        d.environments.dev.clusters[0].podCidrs = ["10.0.0.0/16"];
        d.environments.dev.podTokenMaxTtl = days(32);
      },
    ],
  },
  {
    name: "two Vaults of one name",
    change: (d) => {
      d.environments.dev.vaults.push({ ...d.environments.dev.vaults[0], address: "https://two.example.com" });
    },
    ways: [
      (d) => {
        d.environments.dev.vaults[1].name = "second";
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.vaultAuth = "jwt";
        d.environments.dev.clusters[1].name = "dev-two";
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.clusters[1].issuer = "https://oidc.example.com/id/TWO";
      },
    ],
    faults: [
      {
        path: "environments.dev.clusters[1].issuer",
        found: "https://oidc.example.com/id/DEV a second time",
        allowed: "an issuer of its own for each cluster",
        change: "take the issuer from the cluster itself: tokens of two clusters could not be distinguished",
      },
    ],
  },
  {
    name: "a cluster in a foreign region",
    change: (d) => {
      d.environments.dev.clusters[0].region = "us-east-1";
    },
    ways: [
      (d) => {
        d.environments.dev.regions.replicas.push("us-east-1");
        d.environments.dev.vaults[0].regions.push("us-east-1");
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.vaults[0].regions.push("eu-central-1");
      },
    ],
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
    ways: [
      (d) => {
        d.environments.dev.vaults[0].databaseCaFile = "/etc/ssl/certs/ca.pem";
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
    name: "two clusters on one Vault, which has tokens reviewed by one of them",
    change: (d) => {
      d.environments.dev.vaults[0].address = d.environments.prod.vaults[0].address;
    },
    ways: [
      (d) => {
        d.environments.prod.vaultAuth = "jwt";
      },
      (d) => {
        d.environments.dev.vaults[0].address = "https://vault.dev.example.com:8200";
      },
    ],
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
    name: "one Vault namespace twice, once with a slash",
    change: (d) => {
      const { dev, prod } = d.environments;
      dev.vaults[0] = { ...dev.vaults[0], namespace: "team", deployer: "names" };
      prod.vaults[0] = { ...prod.vaults[0], address: dev.vaults[0].address, namespace: "/team/" };
      dev.vaultAuth = "jwt";
      prod.vaultAuth = "jwt";
    },
    ways: [
      (d) => {
        d.environments.dev.vaults[0].namespace = "team/dev";
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
];

testFaults(CASES);
