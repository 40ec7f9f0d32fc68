import { days, defineRegistry, hours, type Registry } from "../../lib/model";

/** Secrets of one registry: the policy of its KMS key takes no more than some 230 workloads, so more are several registries. */
const MOST_SECRETS = 1_000;

/** Number of secrets of each registry. */
export const registrySizes = (secrets: number): readonly number[] =>
  range(Math.ceil(secrets / MOST_SECRETS)).map((n) => Math.min(MOST_SECRETS, secrets - n * MOST_SECRETS));

/** Secrets that one workload consumes. */
export const SECRETS_PER_WORKLOAD = 5;

/** Place of the measured environment. */
export const PLACE = {
  account: "333333333333",
  primary: "eu-central-1",
  replicas: ["eu-west-1", "us-east-1"],
  cluster: "prod-eu-central",
  issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/9A0DCE01B2C3D4E5F60718293A4B5C6D",
} as const;

/** Name of the nth workload. */
export const workloadName = (n: number): string => `service-${n}`;
/** Key of the nth secret. */
export const secretKey = (n: number): string =>
  `${workloadName(Math.floor(n / SECRETS_PER_WORKLOAD))}/key-${n}`;

/** The numbers from 0. */
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

/** A registry of one environment: so many secrets with rotation and two replicas, a workload for every five. */
export function sizedRegistry(id: string, secrets: number): Registry {
  const registry = defineRegistry({
    id,
    environments: {
      prod: {
        tier: "production",
        account: PLACE.account,
        awsTokenIssuer: "https://3c8d5e74-1b2a-4f96-8e07-9a4b6c2d1f30.tokens.sts.global.api.aws",
        regions: { primary: PLACE.primary, replicas: [...PLACE.replicas] },
        principals: {
          deployer: `arn:aws:iam::${PLACE.account}:role/secrets-deployer`,
          operators: [`arn:aws:iam::${PLACE.account}:role/secrets-operator`],
          approvers: [`arn:aws:iam::${PLACE.account}:role/secrets-approver`],
          breakGlass: [`arn:aws:iam::${PLACE.account}:role/break-glass`],
        },
        vaults: [
          {
            name: "main",
            address: "https://vault.example.com:8200",
            regions: [PLACE.primary, ...PLACE.replicas],
          },
        ],
        clusters: [
          {
            name: PLACE.cluster,
            region: PLACE.primary,
            issuer: PLACE.issuer,
            apiServer: "https://9A0DCE01B2C3D4E5F60718293A4B5C6D.gr7.eu-central-1.eks.amazonaws.com",
            vault: "main",
          },
        ],
        refreshEvery: hours(6),
      },
    },
    workloads: Object.fromEntries(
      range(Math.ceil(secrets / SECRETS_PER_WORKLOAD)).map((n) => [
        workloadName(n),
        { namespace: "services" },
      ]),
    ),
    secrets: Object.fromEntries(
      range(secrets).map((n) => [
        secretKey(n),
        {
          kind: "hmac-key",
          description: "HMAC key of a service",
          owner: "team-services",
          consumers: [workloadName(Math.floor(n / SECRETS_PER_WORKLOAD))],
          rotateEvery: days(90),
          rotation: "automatic",
          store: "aws",
        },
      ]),
    ),
  });
  return registry as unknown as Registry;
}
