import { type AuditInput, days, type EnvironmentInput, hours } from "../lib/model";
import { clusterCa } from "./certificates";

/** Policy: "refresh every 6 hours". */
const refreshEvery = hours(6);

// Each Vault runs in the cluster that it serves, so pods log in by the `kubernetes` method, which is the default.

/** Principals have the same names in every account. */
const principalsOf = (account: string) => ({
  deployer: `arn:aws:iam::${account}:role/secrets-deployer`,
  operators: [`arn:aws:iam::${account}:role/secrets-operator`],
  approvers: [`arn:aws:iam::${account}:role/secrets-approver`],
  breakGlass: [`arn:aws:iam::${account}:role/break-glass`],
});

/** Change requests are approved where they are merged: CI of that branch vouches for them. */
const changeControl = (account: string) => ({
  principals: { ...principalsOf(account), ci: `arn:aws:iam::${account}:role/secrets-ci` },
  changes: { repository: "example/secrets-registry" },
});

/**
 * Policy: "all secret changes emit audit events to SIEM", so every environment has an audit trail. The SIEM is Datadog's, where the
 * organisation's logs are. Its key is none of the registry's: the trail watches every read of those, its own would be among them at
 * each delivery, and a rotation that breaks the key would silence what must report the break. It is an intake key of its own, in a
 * secret that each account makes once, by hand. CloudTrail: the organisation's trail logs every account, reads included, and a second
 * one in each account would be paid for by the event; `secrets-registry audit check` looks whether that is so.
 */
const auditTrail = (account: string, secret: string) =>
  ({
    trail: "organization",
    sinks: [
      {
        type: "datadog",
        name: "datadog",
        url: "https://http-intake.logs.datadoghq.eu",
        apiKey: {
          secretArn: `arn:aws:secretsmanager:eu-central-1:${account}:secret:${secret}`,
          field: "apiKey",
        },
      },
    ],
  }) satisfies AuditInput;

export const dev = {
  tier: "development",
  account: "111111111111",
  awsTokenIssuer: "https://1f0c7a52-9d3e-4b86-a1c4-5e8d2b7f6a10.tokens.sts.global.api.aws",
  regions: { primary: "eu-central-1", replicas: ["eu-west-1"] },
  networks: [
    { name: "main", subnets: ["subnet-0d1a2b3c4d5e6f701"], securityGroups: ["sg-0d1a2b3c4d5e6f711"] },
  ],
  principals: principalsOf("111111111111"),
  vaults: [
    {
      name: "dev",
      address: "https://vault.dev.example.com:8200",
      regions: ["eu-central-1", "eu-west-1"],
    },
  ],
  clusters: [
    {
      name: "dev-eu-central",
      region: "eu-central-1",
      issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/D3E0A1B2C3D4E5F60718293A4B5C6D7E",
      apiServer: "https://D3E0A1B2C3D4E5F60718293A4B5C6D7E.gr7.eu-central-1.eks.amazonaws.com",
      caPem: clusterCa,
      vault: "dev",
    },
  ],
  audit: auditTrail("111111111111", "siem/datadog-Wq3xTz"),
  refreshEvery,
  // Destroyed and deployed anew at will, so a deleted secret's name is free at once.
  recoveryWindow: days(0),
  // The reporting database has no replica in dev, and nobody sends webhooks there yet.
  optIn: [],
} satisfies EnvironmentInput;

export const stage = {
  tier: "staging",
  account: "222222222222",
  awsTokenIssuer: "https://2a9b4c61-7e5f-4d08-b3a2-6c1e8d9f7b20.tokens.sts.global.api.aws",
  networks: [
    {
      name: "main",
      subnets: ["subnet-0d1a2b3c4d5e6f702", "subnet-0d1a2b3c4d5e6f703"],
      securityGroups: ["sg-0d1a2b3c4d5e6f712"],
    },
  ],
  regions: { primary: "eu-central-1", replicas: ["eu-west-1"] },
  ...changeControl("222222222222"),
  vaults: [
    {
      name: "stage",
      address: "https://vault.stage.example.com:8200",
      regions: ["eu-central-1", "eu-west-1"],
    },
  ],
  clusters: [
    {
      name: "stage-eu-central",
      region: "eu-central-1",
      issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/57A6E0B1C2D3E4F5061728394A5B6C7D",
      apiServer: "https://57A6E0B1C2D3E4F5061728394A5B6C7D.gr7.eu-central-1.eks.amazonaws.com",
      caPem: clusterCa,
      vault: "stage",
    },
  ],
  audit: auditTrail("222222222222", "siem/datadog-Lm8vRk"),
  refreshEvery,
} satisfies EnvironmentInput;

export const prod = {
  tier: "production",
  account: "333333333333",
  awsTokenIssuer: "https://3c8d5e74-1b2a-4f96-8e07-9a4b6c2d1f30.tokens.sts.global.api.aws",
  networks: [
    {
      name: "main",
      subnets: ["subnet-0d1a2b3c4d5e6f704", "subnet-0d1a2b3c4d5e6f705", "subnet-0d1a2b3c4d5e6f706"],
      securityGroups: ["sg-0d1a2b3c4d5e6f713"],
    },
  ],
  regions: { primary: "eu-central-1", replicas: ["eu-west-1", "us-east-1"] },
  ...changeControl("333333333333"),
  // A Vault in each region's cluster: no pod waits for another region to start.
  vaults: [
    {
      name: "eu-central",
      address: "https://vault.eu-central.example.com:8200",
      regions: ["eu-central-1", "us-east-1"],
    },
    {
      name: "eu-west",
      address: "https://vault.eu-west.example.com:8200",
      regions: ["eu-west-1"],
    },
  ],
  clusters: [
    {
      name: "prod-eu-central",
      region: "eu-central-1",
      issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/9A0DCE01B2C3D4E5F60718293A4B5C6D",
      apiServer: "https://9A0DCE01B2C3D4E5F60718293A4B5C6D.gr7.eu-central-1.eks.amazonaws.com",
      caPem: clusterCa,
      vault: "eu-central",
    },
    {
      name: "prod-eu-west",
      region: "eu-west-1",
      issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/9A0DEE57B2C3D4E5F60718293A4B5C6D",
      apiServer: "https://9A0DEE57B2C3D4E5F60718293A4B5C6D.gr7.eu-west-1.eks.amazonaws.com",
      caPem: clusterCa,
      vault: "eu-west",
    },
  ],
  audit: auditTrail("333333333333", "siem/datadog-Hd5nYb"),
  refreshEvery,
} satisfies EnvironmentInput;
