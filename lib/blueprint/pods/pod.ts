import { createHash } from "node:crypto";
import { AGENT_RESOURCES } from "../../model/agent-resources";
import { isJob } from "../../model/controller-kinds";
import { goDuration } from "../../model/duration";
import { fault, RegistryError } from "../../model/faults";
import {
  agentConfigName,
  annotationSuffix,
  authMount,
  vaultAudience,
  vaultCaName,
  vaultRoleName,
} from "../../model/names";
import type { Cluster, Environment, VaultServer, Workload } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { SECRETS_FOLDER } from "../../model/secrets-folder";
import { vaultPathOf } from "../platform/vault-policy";
import { type AgentConfigInput, agentConfig, CONFIG_MAP_LIMIT, fitsVariable } from "./agent-config";
import { type RenderedFile, renderedFiles } from "./agent-template";
import { reloadHook } from "./reload-hook";

/** Kubernetes takes 256 KiB of annotations per object. */
const ANNOTATIONS_LIMIT = 256 * 1_024;

/**
 * Path at which the injector mounts a token volume that no container mounts itself (vault-k8s, DefaultServiceAccountMount).
 */
const TOKEN_MOUNT = "/var/run/secrets/vault.hashicorp.com/serviceaccount";
/** Path at which the injector mounts the Secret of its `tls-secret` annotation. */
const TLS_MOUNT = "/vault/tls";
/** Name of the projected volume that carries the token for Vault. */
const TOKEN_VOLUME = "vault-token";
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
 * Needs of a workload's pod in one cluster, three things that only work together: the annotations, the
 * ServiceAccount's name and the volume with a token for Vault's audience (with an audience set the default
 * token does not log in, and the injector only copies a volume that exists).
 */
export interface PodPlan {
  readonly cluster: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Empty for a workload without secrets here, and where there is no Vault: the injector stays away. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly volumes: readonly TokenVolume[];
  /** Folder of its containers under which the files lie. */
  readonly folder: string;
  readonly files: readonly RenderedFile[];
  /** Kubernetes Secret with the Vault's CA certificate that the pod's namespace must have. */
  readonly vaultCa: { readonly name: string; readonly pem: string } | undefined;
  /**
   * ConfigMap with the agents' configurations that the pod's namespace must have; only where they are too large for the
   * environment variable in which the injector hands them over.
   */
  readonly agentConfig?: { readonly name: string; readonly data: Readonly<Record<string, string>> };
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
/** Annotation with a digest of the ConfigMap, for nobody to read: pods of another one are other pods. */
const CONFIG_MARK = "secrets-registry/agent-config";

function filesOf(input: PodInput): readonly RenderedFile[] {
  const ownUser = runsAs(input) !== undefined;
  return input.secrets.flatMap((secret) => {
    const consumer = secret.consumers.find((candidate) => candidate.workload === input.workload.name);
    return renderedFiles(secret, consumer?.files, ownUser);
  });
}

/** Annotations of each file by which the injector makes the agents' configurations. */
function fileAnnotations(input: PodInput, files: readonly RenderedFile[]): Record<string, string> {
  const perSecret = new Map<string, number>();
  return Object.assign(
    {},
    ...files.map((file) => {
      const secret = input.secrets.find((candidate) => candidate.key === file.secret);
      if (!secret) return {};
      const index = perSecret.get(file.secret) ?? 0;
      perSecret.set(file.secret, index + 1);
      const suffix = annotationSuffix(file.secret, index === 0 ? file.format : `${file.format}-${index + 1}`);
      return annotationsOf(suffix, vaultPathOf(secret), file);
    }),
  );
}

const annotationsOf = (
  suffix: string,
  path: string,
  file: Pick<RenderedFile, "path" | "template" | "mode">,
): Record<string, string> => ({
  [`${PREFIX}/agent-inject-secret-${suffix}`]: path,
  [`${PREFIX}/agent-inject-file-${suffix}`]: file.path,
  [`${PREFIX}/agent-inject-template-${suffix}`]: file.template,
  [`${PREFIX}/agent-inject-perms-${suffix}`]: file.mode,
  [`${PREFIX}/error-on-missing-key-${suffix}`]: "true",
});

/** The author's command, which belongs to all files. */
function hookAnnotations({ workload }: PodInput, files: readonly RenderedFile[]): Record<string, string> {
  const { reload } = workload;
  if (reload.how !== "command") return {};
  const hook = hookOf(reload.command, workload, files);
  return {
    ...annotationsOf(HOOK, HOOK, hook),
    [`${PREFIX}/agent-inject-command-${HOOK}`]: hook.command ?? "",
  };
}

/** Suffix of the hook's annotations: a secret's have a dot. */
const HOOK = "reload";

const hookOf = (command: string, { secretVolumePath }: Workload, files: readonly RenderedFile[]) =>
  reloadHook(
    command,
    secretVolumePath,
    files.map(({ path }) => path),
  );

/** Annotations that the injector needs beside a configuration, wherever that comes from. */
function serverAnnotations(input: PodInput): Record<string, string> {
  const { environment, vault } = input;
  return {
    [`${PREFIX}/service`]: vault.address,
    ...(vault.caPem
      ? {
          [`${PREFIX}/tls-secret`]: vaultCaName(input.registry, environment.name, vault.name),
          [`${PREFIX}/ca-cert`]: `${TLS_MOUNT}/${CA_FILE}`,
        }
      : {}),
    [`${PREFIX}/agent-service-account-token-volume-name`]: TOKEN_VOLUME,
  };
}

function loginAnnotations(input: PodInput): Record<string, string> {
  const { environment, cluster, vault } = input;
  const isJwt = environment.vaultAuth === "jwt";
  return {
    ...(vault.namespace ? { [`${PREFIX}/namespace`]: vault.namespace } : {}),
    [`${PREFIX}/auth-type`]: environment.vaultAuth,
    [`${PREFIX}/auth-path`]: `auth/${authMount(environment.vaultAuth, cluster)}`,
    [`${PREFIX}/role`]: vaultRoleName(input.registry, environment.name, input.workload.name),
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
  const { workload } = input;
  const { requests, limits } = workload.agentResources;
  return {
    [`${PREFIX}/agent-inject`]: "true",
    [`${PREFIX}/agent-init-first`]: "true",
    ...(isJob(workload.controller) ? { [`${PREFIX}/agent-pre-populate-only`]: "true" } : {}),
    [`${PREFIX}/agent-requests-cpu`]: requests?.cpu ?? AGENT_RESOURCES.requests.cpu,
    [`${PREFIX}/agent-requests-mem`]: requests?.memory ?? AGENT_RESOURCES.requests.memory,
    [`${PREFIX}/agent-limits-cpu`]: limits?.cpu ?? AGENT_RESOURCES.limits.cpu,
    [`${PREFIX}/agent-limits-mem`]: limits?.memory ?? AGENT_RESOURCES.limits.memory,
    ...(workload.containers ? { [`${PREFIX}/agent-inject-containers`]: workload.containers.join(",") } : {}),
    ...(workload.secretVolumePath === SECRETS_FOLDER
      ? {}
      : { [`${PREFIX}/secret-volume-path`]: workload.secretVolumePath }),
    ...idAnnotations(input),
  };
}

/** The application's user as whom the agent runs; a cluster that gives ids itself takes none. */
const runsAs = ({ cluster, workload }: PodInput): number | undefined =>
  cluster.platform === "openshift" ? undefined : workload.runAsUser;

/**
 * OpenShift gives all containers of a namespace's pods one user id and one group for volumes, and refuses a pod that names others,
 * as the injector does by default (100 and 1000).
 * https://developer.hashicorp.com/vault/docs/platform/k8s/helm/openshift
 */
function idAnnotations(input: PodInput): Record<string, string> {
  const { cluster, workload } = input;
  if (cluster.platform === "openshift") return { [`${PREFIX}/agent-set-security-context`]: "false" };
  const user = runsAs(input);
  return {
    ...(user === undefined ? {} : { [`${PREFIX}/agent-run-as-user`]: String(user) }),
    ...(workload.runAsGroup === undefined
      ? {}
      : { [`${PREFIX}/agent-run-as-group`]: String(workload.runAsGroup) }),
  };
}

const renderingAnnotations = ({ environment }: PodInput): Record<string, string> => ({
  [`${PREFIX}/template-static-secret-render-interval`]: goDuration(environment.refreshEvery),
  // True, the injector's default, ends the agent once its tries are used up (twelve, some six minutes): the sidecar
  // restarts, and the pod is NotReady for as long as Vault is away. False begins the tries anew and leaves the files
  // as they are; an init container tries on too, and its pod goes on waiting, as it would with a restart.
  // https://developer.hashicorp.com/vault/docs/agent-and-proxy/agent/template#exit_on_retry_failure
  // https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector/annotations
  [`${PREFIX}/template-config-exit-on-retry-failure`]: "false",
});

/** Input of the configuration that the injector would make of the annotations. */
function configInput(input: PodInput, files: readonly RenderedFile[]): AgentConfigInput {
  const { registry, environment, cluster, vault, workload } = input;
  const { reload } = workload;
  return {
    authType: environment.vaultAuth,
    authPath: `auth/${authMount(environment.vaultAuth, cluster)}`,
    role: vaultRoleName(registry, environment.name, workload.name),
    ...(vault.namespace ? { namespace: vault.namespace } : {}),
    address: vault.address,
    ...(vault.caPem ? { caFile: `${TLS_MOUNT}/${CA_FILE}` } : {}),
    tokenFile: `${TOKEN_MOUNT}/${TOKEN_PATH}`,
    refreshEvery: environment.refreshEvery,
    folder: workload.secretVolumePath,
    files: reload.how === "command" ? [...files, hookOf(reload.command, workload, files)] : files,
  };
}

/**
 * The configurations as a ConfigMap, which the injector mounts (`agent-configmap`). The init container's agent runs no command.
 * Agents read it at their start: a mark of it among the annotations replaces pods when it changes.
 */
function configMapOf(input: PodInput, config: AgentConfigInput): PodPlan["agentConfig"] & object {
  const withoutCommands = {
    ...config,
    files: config.files.flatMap(({ command, ...file }) => (command ? [] : [file])),
  };
  return {
    name: agentConfigName(input.registry, input.environment.name, input.workload.name),
    data: {
      "config-init.hcl": JSON.stringify(agentConfig(withoutCommands, "init")),
      "config.hcl": JSON.stringify(agentConfig(config, "sidecar")),
    },
  };
}

const sorted = (annotations: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * Needs of a pod in one cluster (docs/explanation/architecture.md, decision 11).
 *
 * @throws RegistryError when the agents' configurations outgrow what Kubernetes takes
 */
export function podPlan({
  vault,
  ...rest
}: Omit<PodInput, "vault"> & { readonly vault: VaultServer | undefined }): PodPlan {
  const common = {
    cluster: rest.cluster.name,
    namespace: rest.namespace,
    serviceAccountName: rest.serviceAccount,
    folder: rest.workload.secretVolumePath,
  };
  const files = vault === undefined ? [] : filesOf({ ...rest, vault });
  if (vault === undefined || files.length === 0) {
    return { ...common, annotations: {}, volumes: [], files, vaultCa: undefined };
  }
  const input: PodInput = { ...rest, vault };

  const config = configInput(input, files);
  const always = { ...agentAnnotations(input), ...serverAnnotations(input) };
  const inVariable = sorted({
    ...always,
    ...loginAnnotations(input),
    ...renderingAnnotations(input),
    ...fileAnnotations(input, files),
    ...hookAnnotations(input, files),
  });
  const fits = sizeOf(inVariable) <= ANNOTATIONS_LIMIT && fitsVariable(agentConfig(config, "sidecar"));
  const configMap = fits ? undefined : configMapOf(input, config);
  const size = configMap ? sizeOf(configMap.data) : 0;
  if (size > CONFIG_MAP_LIMIT) {
    throw new RegistryError([
      fault(
        ["workloads", input.workload.name],
        `${files.length} files in ${input.environment.name}, whose agents' configurations take ${size} bytes`,
        `${CONFIG_MAP_LIMIT} bytes in one ConfigMap (Kubernetes)`,
        "split the workload into several, each with its own ServiceAccount and its own consumers",
      ),
    ]);
  }
  const annotations = configMap
    ? sorted({
        ...always,
        [`${PREFIX}/agent-configmap`]: configMap.name,
        [CONFIG_MARK]: createHash("sha256").update(JSON.stringify(configMap.data)).digest("hex").slice(0, 16),
      })
    : inVariable;
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
    ...(configMap ? { agentConfig: configMap } : {}),
  };
}

const sizeOf = (texts: Readonly<Record<string, string>>): number =>
  Object.entries(texts).reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(value), 0);
