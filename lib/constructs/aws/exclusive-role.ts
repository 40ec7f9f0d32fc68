import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePoliciesExclusive } from "@cdktf/provider-aws/lib/iam-role-policies-exclusive";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { IamRolePolicyAttachmentsExclusive } from "@cdktf/provider-aws/lib/iam-role-policy-attachments-exclusive";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { RolePlan } from "../../blueprint";
import { hideIdsBelow, setAddress } from "../address";
import { literalJson, literalText } from "../literal-text";

/** A session lasts an hour and is renewed by whoever took it: the shortest that IAM lets a role have. */
const SESSION_SECONDS = 3_600;

/** Input of {@link ExclusiveRole}. */
export interface ExclusiveRoleProps {
  /** The role as the blueprint has it. */
  readonly plan: RolePlan;
  /** The role as one word of its Terraform address. */
  readonly word: string;
  readonly description: string;
  /** Rights that its managed policies are parts of, in the words of their descriptions: `what backend reads`. */
  readonly rights: string;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * An IAM role with just the policies of its plan: one that is added by hand shows in the next plan and goes with the next
 * apply.
 */
export class ExclusiveRole extends Construct {
  /** ARN (a token) of the role: whoever uses it waits for the role. */
  readonly arn: string;
  /** Policies that must be there before the role can be relied on. */
  readonly policies: readonly ITerraformDependable[];

  constructor(
    scope: Construct,
    id: string,
    { plan, word, description, rights, provider }: ExclusiveRoleProps,
  ) {
    super(scope, id);
    hideIdsBelow(scope);
    const common = provider ? { provider } : {};
    const role = setAddress(
      this,
      new IamRole(this, "role", {
        ...common,
        name: plan.name,
        path: plan.path,
        description: literalText(description),
        assumeRolePolicy: literalJson(plan.trust),
        maxSessionDuration: SESSION_SECONDS,
        ...(plan.permissionsBoundary ? { permissionsBoundary: plan.permissionsBoundary } : {}),
        tags: { ...plan.tags },
      }),
      word,
    );
    this.arn = role.arn;
    const roleName = role.name;

    const inline = plan.policies.inline.map(({ name, document }) =>
      setAddress(
        this,
        new IamRolePolicy(this, `inline-${name}`, {
          ...common,
          name,
          role: roleName,
          policy: literalJson(document),
        }),
        `${word}_${name}`,
      ),
    );
    const managed = plan.policies.managed.map(({ name, document }, index) => {
      const policy = setAddress(
        this,
        new IamPolicy(this, `managed-${index + 1}`, {
          ...common,
          name,
          path: plan.path,
          description: literalText(`Part ${index + 1} of ${rights}`),
          policy: literalJson(document),
          tags: { ...plan.tags },
        }),
        `${word}_${index + 1}`,
      );
      return setAddress(
        this,
        new IamRolePolicyAttachment(this, `attachment-${index + 1}`, {
          ...common,
          role: roleName,
          policyArn: policy.arn,
        }),
        `${word}_${index + 1}`,
      );
    });
    this.policies = [...inline, ...managed];

    setAddress(
      this,
      new IamRolePoliciesExclusive(this, "only-inline", {
        ...common,
        roleName,
        policyNames: inline.map(({ name }) => name),
      }),
      word,
    );
    setAddress(
      this,
      new IamRolePolicyAttachmentsExclusive(this, "only-managed", {
        ...common,
        roleName,
        policyArns: managed.map(({ policyArn }) => policyArn),
      }),
      word,
    );
  }
}
