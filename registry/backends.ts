/** Backends in which Terraform keeps the state of each environment: a bucket in the environment's own account. */
export const backends = {
  dev: { type: "s3", bucket: "example-dev-terraform-state", region: "eu-central-1" },
  stage: { type: "s3", bucket: "example-stage-terraform-state", region: "eu-central-1" },
  prod: { type: "s3", bucket: "example-prod-terraform-state", region: "eu-central-1" },
} as const;
