import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import type { TerraformStack } from "cdktf";

/** Role that Terraform takes to deploy. */
export interface AssumedRole {
  readonly roleArn: string;
  readonly externalId?: string;
  readonly sessionName?: string;
}

/** Versions of Terraform's providers by their names. */
export type ProviderVersions = Readonly<Partial<Record<"aws" | "vault" | "kubernetes", string>>>;

/** Ephemeral values and write-only arguments, which later secrets engines need, came with 1.11. */
const TERRAFORM_VERSION = ">= 1.11";

/** Says which versions of Terraform and its providers a stack takes. */
export function requireVersions(stack: TerraformStack, providers: ProviderVersions): void {
  stack.addOverride("terraform.required_version", TERRAFORM_VERSION);
  for (const [provider, version] of Object.entries(providers)) {
    stack.addOverride(`terraform.required_providers.${provider}.version`, version);
  }
}

/** The stack's AWS provider: a credential of another account must not deploy it. */
export const awsProvider = (
  stack: TerraformStack,
  region: string,
  account: string,
  role: AssumedRole | undefined,
): AwsProvider =>
  new AwsProvider(stack, "aws", {
    region,
    allowedAccountIds: [account],
    ...(role ? { assumeRole: [{ ...role }] } : {}),
  });
