import type { PolicyStatement } from "../../model/policy-document";
import type { Environment } from "../../model/registry";
import { allow, type DeployerPlaces, of } from "./deployer-places";

/**
 * Rights on the environment's roles and their policies.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
export function ofRoles(
  { permissionsBoundary }: Environment,
  { roles, policies }: DeployerPlaces,
): PolicyStatement[] {
  const bounded: PolicyStatement["Condition"] = permissionsBoundary
    ? { StringEquals: { "iam:PermissionsBoundary": [permissionsBoundary] } }
    : undefined;
  return [
    allow(
      "Roles",
      of(
        "iam",
        "DeleteRole",
        // Also what somebody else has attached: the registry's roles have the registry's policies and no others.
        "DetachRolePolicy",
        "GetRole",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "ListInstanceProfilesForRole",
        "ListRolePolicies",
        "TagRole",
        "UntagRole",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
      ),
      [roles],
    ),
    allow(
      "RolesWithin",
      of(
        "iam",
        "CreateRole",
        "DeleteRolePolicy",
        "PutRolePolicy",
        ...(permissionsBoundary ? ["PutRolePermissionsBoundary"] : []),
      ),
      [roles],
      bounded,
    ),
    allow("AttachPolicies", of("iam", "AttachRolePolicy"), [roles], {
      ArnLike: { "iam:PolicyARN": [policies] },
    }),
    // Of roles whose rights do not fit into inline policies.
    allow(
      "Policies",
      of(
        "iam",
        "CreatePolicy",
        "CreatePolicyVersion",
        "DeletePolicy",
        "DeletePolicyVersion",
        "GetPolicy",
        "GetPolicyVersion",
        "ListPolicyVersions",
        "TagPolicy",
        "UntagPolicy",
      ),
      [policies],
    ),
  ];
}
