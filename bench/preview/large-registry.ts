import { days, defineRegistry, hours, type Registry } from "../../lib/model";
import { PLACE, range, SECRETS_PER_WORKLOAD } from "../synth/sized-registry";

/** Environments, and secrets of each: one registry holds no more for the policy of its KMS key. */
export const ENVIRONMENTS = 10;
/** Secrets of each environment. */
export const SECRETS = 1_000;

/**
 * A registry of 10,000 secrets: 1,000 keys in ten environments.
 *
 * @param changed keys that differ: in their cadence or in their consumer, in all environments
 */
export function largeRegistry(changed: number): Registry {
  const environments = range(ENVIRONMENTS).map((n) => [`prod-${n}`, environmentOf(n)] as const);
  const definition = {
    id: "acme",
    environments: Object.fromEntries(environments),
    workloads: Object.fromEntries(
      range(SECRETS / SECRETS_PER_WORKLOAD).map((n) => [`service-${n}`, { namespace: "services" }]),
    ),
    secrets: Object.fromEntries(range(SECRETS).map((n) => [`area/key-${n}`, secretOf(n, n < changed)])),
  };
  return defineRegistry(definition as never) as unknown as Registry;
}

function secretOf(n: number, isChanged: boolean) {
  const owner = Math.floor(n / SECRETS_PER_WORKLOAD);
  const isMoved = isChanged && n % 2 === 0;
  return {
    kind: "hmac-key",
    description: "HMAC key of a service",
    owner: "team-services",
    consumers: [`service-${isMoved ? owner + 1 : owner}`],
    rotateEvery: days(isChanged && !isMoved ? 60 : 90),
    rotation: "automatic",
    store: "aws",
  };
}

function environmentOf(n: number) {
  const account = String(333_333_333_000 + n);
  return {
    tier: "production",
    account,
    awsTokenIssuer: `https://3c8d5e74-1b2a-4f96-8e07-9a4b6c2d1f3${n}.tokens.sts.global.api.aws`,
    regions: { primary: PLACE.primary, replicas: [...PLACE.replicas] },
    principals: {
      deployer: `arn:aws:iam::${account}:role/secrets-deployer`,
      operators: [`arn:aws:iam::${account}:role/secrets-operator`],
      approvers: [`arn:aws:iam::${account}:role/secrets-approver`],
      breakGlass: [`arn:aws:iam::${account}:role/break-glass`],
    },
    vaults: [
      {
        name: "main",
        address: `https://vault-${n}.example.com:8200`,
        regions: [PLACE.primary, ...PLACE.replicas],
      },
    ],
    clusters: [
      {
        name: `prod-${n}`,
        region: PLACE.primary,
        issuer: `https://oidc.example.com/id/${n}`,
        apiServer: `https://api-${n}.example.com`,
        vault: "main",
      },
    ],
    refreshEvery: hours(6),
  };
}
