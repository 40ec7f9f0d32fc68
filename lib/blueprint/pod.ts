import { goDuration } from "../model/duration";
import { fault, RegistryError } from "../model/faults";
import { annotationSuffix, authMount, vaultAudience, vaultCaName, vaultRoleName } from "../model/names";
import type { Cluster, Environment, VaultServer, Workload } from "../model/registry";
import type { EnvironmentSecret } from "../model/resolve";
import { type RenderedFile, renderedFiles } from "./agent-template";
import { vaultPathOf } from "./vault-policy";

/** Kubernetes takes 256 KiB of annotations per object. */
const ANNOTATIONS_LIMIT = 256 * 1_024;

/**
 * Where the injector mounts a token volume that no container mounts itself (vault-k8s, DefaultServiceAccountMount).
 */
const TOKEN_MOUNT = "/var/run/secrets/vault.hashicorp.com/serviceaccount";
/** Where the injector mounts the Secret of its `tls-secret` annotation. */
const TLS_MOUNT = "/vault/tls";
/** Name of the projected volume that carries the token for Vault. */
export const TOKEN_VOLUME = "vault-token";
/** File of the token inside its volume. */
const TOKEN_PATH = "token";
/** The kubelet renews a projected token after 80 % of its life. */
const TOKEN_SECONDS = 3_600;
/** Key of the CA certificate in its Kubernetes Secret. */
export const CA_FILE = "ca.crt";

/** A projected ServiceAccount token volume, as the Kubernetes API writes it. */
export interface TokenVolume {
  readonly name: string;
  readonly projected: {
    readonly sources: readonly {
      readonly serviceAccountToken: {
        readonly audience: string;
        readonly expirationSeconds: number;
        readonly path: string;
      };
    }[];
  };
}

/**
 * What a pod of a workload needs in one cluster, three things that only work together: the annotations, the
 * ServiceAccount's name and the volume with a token for Vault's audience (with an audience set the default
 * token does not log in, and the injector only copies a volume that exists).
 */
export interface PodPlan {
  readonly cluster: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Empty for a workload without secrets here: the injector stays away. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly volumes: readonly TokenVolume[];
  readonly files: readonly RenderedFile[];
  /** Kubernetes Secret with the Vault's CA certificate that the pod's namespace must have. */
  readonly vaultCa: { readonly name: string; readonly pem: string } | undefined;
}

/** A workload in one cluster with the secrets that it consumes. */
export interface PodInput {
  readonly registry: string;
  readonly environment: Environment;
  readonly workload: Workload;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly cluster: Cluster;
  readonly vault: VaultServer;
  readonly secrets: readonly EnvironmentSecret[];
}

const PREFIX = "vault.hashicorp.com";

function filesOf(input: PodInput): readonly RenderedFile[] {
  const ownUser = input.workload.runAsUser !== undefined;
  return input.secrets.flatMap((secret) => {
    const consumer = secret.consumers.find((candidate) => candidate.workload === input.workload.name);
    return renderedFiles(secret, consumer?.files, ownUser);
  });
}

function fileAnnotations(input: PodInput, file: RenderedFile, index: number): Record<string, string> {
  const secret = input.secrets.find((candidate) => candidate.key === file.secret);
  if (!secret) return {};
  const suffix = annotationSuffix(file.secret, index === 0 ? file.format : `${file.format}-${index + 1}`);
  const { reload } = input.workload;
  return {
    [`${PREFIX}/agent-inject-secret-${suffix}`]: vaultPathOf(secret),
    [`${PREFIX}/agent-inject-file-${suffix}`]: file.path,
    [`${PREFIX}/agent-inject-template-${suffix}`]: file.template,
    [`${PREFIX}/agent-inject-perms-${suffix}`]: file.mode,
    [`${PREFIX}/error-on-missing-key-${suffix}`]: "true",
    ...(reload.how === "command" ? { [`${PREFIX}/agent-inject-command-${suffix}`]: reload.command } : {}),
  };
}

function loginAnnotations(input: PodInput): Record<string, string> {
  const { environment, cluster, vault } = input;
  const isJwt = environment.vaultAuth === "jwt";
  return {
    [`${PREFIX}/service`]: vault.address,
    ...(vault.namespace ? { [`${PREFIX}/namespace`]: vault.namespace } : {}),
    ...(vault.caPem
      ? {
          [`${PREFIX}/tls-secret`]: vaultCaName(input.registry, environment.name, vault.name),
          [`${PREFIX}/ca-cert`]: `${TLS_MOUNT}/${CA_FILE}`,
        }
      : {}),
    [`${PREFIX}/auth-type`]: environment.vaultAuth,
    [`${PREFIX}/auth-path`]: `auth/${authMount(environment.vaultAuth, cluster)}`,
    [`${PREFIX}/role`]: vaultRoleName(input.registry, environment.name, input.workload.name),
    [`${PREFIX}/agent-service-account-token-volume-name`]: TOKEN_VOLUME,
    ...(isJwt
      ? {
          [`${PREFIX}/auth-config-path`]: `${TOKEN_MOUNT}/${TOKEN_PATH}`,
          // The agent's jwt method deletes the token by default, and the volume is read-only.
          [`${PREFIX}/auth-config-remove-jwt-after-reading`]: "false",
        }
      : {}),
  };
}

function agentAnnotations(input: PodInput): Record<string, string> {
  const { workload, environment } = input;
  const { requests, limits } = workload.agentResources;
  return {
    [`${PREFIX}/agent-inject`]: "true",
    [`${PREFIX}/agent-init-first`]: "true",
    [`${PREFIX}/agent-requests-cpu`]: requests?.cpu ?? "50m",
    [`${PREFIX}/agent-requests-mem`]: requests?.memory ?? "64Mi",
    [`${PREFIX}/agent-limits-cpu`]: limits?.cpu ?? "500m",
    [`${PREFIX}/agent-limits-mem`]: limits?.memory ?? "128Mi",
    [`${PREFIX}/template-static-secret-render-interval`]: goDuration(environment.refreshEvery),
    // True, the injector's default, ends the agent once its tries are used up (twelve, some six minutes): the sidecar
    // restarts, and the pod is NotReady for as long as Vault is away. False begins the tries anew and leaves the files
    // as they are; an init container tries on too, and its pod goes on waiting, as it would with a restart.
    // https://developer.hashicorp.com/vault/docs/agent-and-proxy/agent/template#exit_on_retry_failure
    // https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector/annotations
    [`${PREFIX}/template-config-exit-on-retry-failure`]: "false",
    ...(workload.containers ? { [`${PREFIX}/agent-inject-containers`]: workload.containers.join(",") } : {}),
    ...(workload.runAsUser === undefined
      ? {}
      : { [`${PREFIX}/agent-run-as-user`]: String(workload.runAsUser) }),
    ...(workload.runAsGroup === undefined
      ? {}
      : { [`${PREFIX}/agent-run-as-group`]: String(workload.runAsGroup) }),
  };
}

const sorted = (annotations: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * What a pod needs in one cluster (docs/explanation/architecture.md, decision 11).
 *
 * @throws RegistryError when the annotations outgrow what Kubernetes takes
 */
export function podPlan(input: PodInput): PodPlan {
  const common = {
    cluster: input.cluster.name,
    namespace: input.namespace,
    serviceAccountName: input.serviceAccount,
  };
  const files = filesOf(input);
  if (files.length === 0) return { ...common, annotations: {}, volumes: [], files, vaultCa: undefined };

  const perSecret = new Map<string, number>();
  const annotations = sorted({
    ...agentAnnotations(input),
    ...loginAnnotations(input),
    ...Object.assign(
      {},
      ...files.map((file) => {
        const index = perSecret.get(file.secret) ?? 0;
        perSecret.set(file.secret, index + 1);
        return fileAnnotations(input, file, index);
      }),
    ),
  });
  const size = Object.entries(annotations).reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(value),
    0,
  );
  if (size > ANNOTATIONS_LIMIT) {
    throw new RegistryError([
      fault(
        ["workloads", input.workload.name],
        `${files.length} files in ${input.environment.name}, whose annotations take ${size} bytes`,
        `${ANNOTATIONS_LIMIT} bytes of annotations on one pod (Kubernetes)`,
        "split the workload into several, each with its own ServiceAccount and its own consumers",
      ),
    ]);
  }
  return {
    ...common,
    annotations,
    volumes: [
      {
        name: TOKEN_VOLUME,
        projected: {
          sources: [
            {
              serviceAccountToken: {
                audience: vaultAudience(input.environment.name),
                expirationSeconds: TOKEN_SECONDS,
                path: TOKEN_PATH,
              },
            },
          ],
        },
      },
    ],
    files,
    vaultCa: input.vault.caPem
      ? {
          name: vaultCaName(input.registry, input.environment.name, input.vault.name),
          pem: input.vault.caPem,
        }
      : undefined,
  };
}
