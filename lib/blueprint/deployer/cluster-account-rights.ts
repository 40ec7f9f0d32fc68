import type { PolicyDocument } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import { packedDocuments } from "../platform/role-plan";
import { allow, type DeployerScope, placesOf } from "./deployer-places";
import { ofRoles } from "./deployer-roles";
import { ofClusters } from "./deployer-services";

/** Rights that pod roles, whose policies are inline, do not ask for. */
const OF_MANAGED_POLICIES: readonly (string | undefined)[] = ["AttachPolicies", "Policies"];

/**
 * Rights of whoever deploys the pod roles and associations of an environment in an account of its clusters.
 *
 * @param environment the environment, as if it were in that account
 */
export function clusterAccountRights(
  registry: Registry,
  environment: Environment,
  clusters: DeployerScope["clusters"],
): readonly PolicyDocument[] {
  const places = placesOf(registry, environment);
  return packedDocuments([
    ...ofRoles(environment, places).filter(({ Sid }) => !OF_MANAGED_POLICIES.includes(Sid)),
    allow("PassToPods", ["iam:PassRole"], [places.roles], {
      StringEquals: { "iam:PassedToService": ["pods.eks.amazonaws.com"] },
    }),
    ...ofClusters(environment, { clusters, oidcProviders: [] }),
  ]);
}
