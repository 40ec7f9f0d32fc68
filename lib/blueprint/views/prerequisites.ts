import type { Registry } from "../../model/registry";
import { STS_AUDIENCE } from "../../model/trust-policy";
import { blueprint } from "../environment/blueprint";
import { clustersOf } from "../identity/workload-plan";
import { globalEventsRegion } from "../operations/tamper-watch";
import { oidcProviderArn } from "../platform/aws-arns";

/** Needs of an environment that its stack does not make, and numbers that count against the account's quotas. */
export interface Prerequisites {
  /** Regions whose API calls a trail must log: the environment's, and the one of global services. */
  readonly trailRegions: readonly string[];
  readonly globalRegion: string;
  /** IAM path of the roles that the stack makes. */
  readonly rolePath: string;
  /** Roles that the stack makes. */
  readonly roleCount: number;
  /** Issuer of the tokens by which AWS vouches for the mirror; `undefined`: none is needed. */
  readonly awsTokenIssuer?: string;
  /** IAM OIDC providers that clusters' own stacks have made, sorted by cluster. */
  readonly oidcProviders: readonly {
    readonly cluster: string;
    readonly arn: string;
    readonly audience: string;
  }[];
}

/** Needs of an environment before its first deployment. */
export function prerequisitesOf(registry: Registry, environmentName: string): Prerequisites {
  const environment = registry.environment(environmentName);
  const { workloads, functions, procedure, operations, audit } = blueprint(registry, environmentName);
  const globalRegion = globalEventsRegion(environment.partition);
  const referenced =
    environment.identity === "irsa"
      ? clustersOf(environment).filter(({ oidcProvider }) => oidcProvider === "reference")
      : [];
  return {
    trailRegions: [...new Set([...environment.allRegions, globalRegion])],
    globalRegion,
    rolePath: environment.rolePath,
    roleCount:
      workloads.length +
      functions.length +
      (procedure ? 1 : 0) +
      (operations?.forwarder ? 1 : 0) +
      // The normaliser's, the sinks', the forwarder's.
      (audit ? 1 + audit.sinks.length + (audit.forwarder ? 1 : 0) : 0),
    ...(environment.awsTokenIssuer === undefined ? {} : { awsTokenIssuer: environment.awsTokenIssuer }),
    oidcProviders: referenced.map(({ name, issuer }) => ({
      cluster: name,
      arn: oidcProviderArn(environment, issuer),
      audience: STS_AUDIENCE,
    })),
  };
}
