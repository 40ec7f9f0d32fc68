import { LocalBackend, S3Backend, type TerraformStack } from "cdktf";

/** Place of a stack's state. */
export type BackendSettings =
  | {
      /** A bucket with Terraform's own lock file beside the state (Terraform 1.10 and later; no DynamoDB table). */
      readonly type: "s3";
      readonly bucket: string;
      readonly region: string;
      /** @default `secrets-registry/<stack>.tfstate` */
      readonly key?: string;
      /** Customer key of the state; the bucket's default otherwise. */
      readonly kmsKeyId?: string;
    }
  | {
      readonly type: "local";
      /** Path of the state's file, from the stack's folder. @default `terraform.<stack>.tfstate` in the folder of the app */
      readonly path?: string;
    };

/** Gives a stack its backend. */
export function setBackend(stack: TerraformStack, id: string, settings: BackendSettings): void {
  if (settings.type === "local") {
    // The engine's own default is an absolute path, which would make every checkout's output differ.
    new LocalBackend(stack, { path: settings.path ?? `../../../terraform.${id}.tfstate` });
    return;
  }
  const backend = new S3Backend(stack, {
    bucket: settings.bucket,
    region: settings.region,
    key: settings.key ?? `secrets-registry/${id}.tfstate`,
    encrypt: true,
    ...(settings.kmsKeyId ? { kmsKeyId: settings.kmsKeyId } : {}),
  });
  // Newer than the engine's own list of settings.
  backend.addOverride("use_lockfile", true);
}
