import { join } from "node:path";

/**
 * The Vault Agent Injector's work for a pod: the agent's configuration from annotations and volumes, by the
 * same rules. Source: hashicorp/vault-k8s 1.7, `agent-inject/agent/{annotations,agent,config}.go`. It knows the
 * annotations that the blueprint writes and refuses others, so that an annotation cannot go unproven.
 */

/** The part of a pod that the injector reads. */
export interface InjectablePod {
  readonly annotations: Readonly<Record<string, string>>;
  readonly volumes: readonly {
    readonly name: string;
    readonly projected?: {
      readonly sources: readonly {
        readonly serviceAccountToken?: { readonly path: string; readonly audience: string };
      }[];
    };
  }[];
}

/** Differences between the rehearsal and a pod: real paths and addresses. */
export interface InjectedAgentSettings {
  /** Folder that stands for the root of the containers' file system. */
  readonly root: string;
  readonly vaultAddress: string;
  readonly caFile?: string;
  /** Shortened for tests. @default what the annotation says */
  readonly renderInterval?: string;
  /** Tries of a read before the agent calls it failed. Shortened for tests. @default the agent's own, 12 */
  readonly retries?: number;
}

/** The injector's refusal of a pod. */
export class InjectionError extends Error {
  override readonly name = "InjectionError";
}

/** Configuration of one of the two agents of a pod. */
export interface InjectedAgent {
  /** For `bao agent -config`, as JSON. */
  readonly config: object;
  /** File in which the token for Vault must lie, below the root. */
  readonly tokenFile: string;
  /** Audience of that token, from the projected volume. */
  readonly audience: string;
  /** Rendered files, below the root. */
  readonly files: readonly { readonly path: string; readonly mode: string }[];
}

const PREFIX = "vault.hashicorp.com/";
/** vault-k8s `DefaultServiceAccountMount`: where a volume goes that no container mounts. */
const TOKEN_MOUNT = "/var/run/secrets/vault.hashicorp.com/serviceaccount";
const SECRETS_MOUNT = "/vault/secrets";

/** Annotations whose effect is outside of the agent's configuration: containers, resources, users. */
const POD_ANNOTATIONS = [
  "agent-init-first",
  "agent-inject-containers",
  "agent-limits-cpu",
  "agent-limits-mem",
  "agent-requests-cpu",
  "agent-requests-mem",
  "agent-run-as-group",
  "agent-run-as-user",
];

const FILE_ANNOTATIONS = [
  "agent-inject-secret-",
  "agent-inject-file-",
  "agent-inject-template-",
  "agent-inject-perms-",
  "agent-inject-command-",
  "error-on-missing-key-",
];

/**
 * Makes the configuration of the init container's agent (which renders once and ends) or of the sidecar's
 * (which stays).
 *
 * @throws InjectionError where the injector would refuse the pod
 */
export function injectedAgent(
  pod: InjectablePod,
  container: "init" | "sidecar",
  settings: InjectedAgentSettings,
): InjectedAgent {
  const annotations = new Reader(pod.annotations);
  if (annotations.take("agent-inject") !== "true")
    throw new InjectionError("the pod does not ask for an agent");
  const token = tokenVolume(pod, annotations.need("agent-service-account-token-volume-name"));
  const tokenFile = `${TOKEN_MOUNT}/${token.path}`;
  const at = (path: string): string => join(settings.root, path);

  const templates = annotations.suffixes("agent-inject-secret-").map((suffix) => {
    annotations.need(`agent-inject-secret-${suffix}`);
    return {
      destination: at(`${SECRETS_MOUNT}/${annotations.need(`agent-inject-file-${suffix}`)}`),
      contents: annotations.need(`agent-inject-template-${suffix}`),
      perms: annotations.need(`agent-inject-perms-${suffix}`),
      error_on_missing_key: annotations.need(`error-on-missing-key-${suffix}`) === "true",
      ...optional("command", annotations.take(`agent-inject-command-${suffix}`)),
    };
  });
  const method = annotations.need("auth-type");
  const authConfig = Object.fromEntries(
    annotations
      .suffixes("auth-config-")
      .map((name) => [name.replaceAll("-", "_"), annotations.need(`auth-config-${name}`)]),
  );
  const namespace = annotations.take("namespace");
  annotations.need("service");
  const config = {
    auto_auth: {
      method: {
        type: method,
        mount_path: annotations.need("auth-path"),
        ...optional("namespace", namespace),
        config: {
          token_path: at(tokenFile),
          ...authConfig,
          ...(authConfig.path === undefined ? {} : { path: at(authConfig.path) }),
          role: annotations.need("role"),
        },
      },
      sink: [{ type: "file", config: { path: at("/home/vault/.vault-token") } }],
    },
    exit_after_auth: container === "init",
    pid_file: at("/home/vault/.pid"),
    vault: {
      address: settings.vaultAddress,
      ...optional("ca_cert", settings.caFile),
      ...(settings.retries === undefined ? {} : { retry: { num_retries: settings.retries } }),
    },
    template: templates,
    template_config: {
      exit_on_retry_failure: annotations.need("template-config-exit-on-retry-failure") === "true",
      static_secret_render_interval:
        settings.renderInterval ?? annotations.need("template-static-secret-render-interval"),
    },
  };
  annotations.take("template-static-secret-render-interval");
  // The Secret that `tls-secret` names is mounted where `ca-cert` points; here the file is given.
  if ((annotations.take("tls-secret") === undefined) !== (annotations.take("ca-cert") === undefined)) {
    throw new InjectionError("tls-secret and ca-cert go together");
  }
  annotations.refuseRest();
  return {
    config,
    tokenFile: at(tokenFile),
    audience: token.audience,
    files: templates.map(({ destination, perms }) => ({ path: destination, mode: perms })),
  };
}

function tokenVolume(pod: InjectablePod, name: string): { readonly path: string; readonly audience: string } {
  const volume = pod.volumes.find((candidate) => candidate.name === name);
  if (!volume) throw new InjectionError(`failed to find service account volume ${JSON.stringify(name)}`);
  const token = volume.projected?.sources.find((source) => source.serviceAccountToken)?.serviceAccountToken;
  if (!token)
    throw new InjectionError(`failed to find tokenPath for projected volume ${JSON.stringify(name)}`);
  return token;
}

const optional = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value };

/** Reads annotations and remembers which were read. */
class Reader {
  private readonly unread: Set<string>;

  constructor(private readonly annotations: Readonly<Record<string, string>>) {
    this.unread = new Set(Object.keys(annotations));
  }

  take(name: string): string | undefined {
    this.unread.delete(PREFIX + name);
    return this.annotations[PREFIX + name];
  }

  need(name: string): string {
    const value = this.take(name);
    if (value === undefined || value === "") throw new InjectionError(`no annotation ${PREFIX}${name}`);
    return value;
  }

  /** The `<n>` of annotations that begin with a name. */
  suffixes(name: string): readonly string[] {
    return Object.keys(this.annotations)
      .filter((key) => key.startsWith(PREFIX + name))
      .map((key) => key.slice(PREFIX.length + name.length));
  }

  refuseRest(): void {
    for (const name of POD_ANNOTATIONS) this.take(name);
    const [unknown] = this.unread;
    if (unknown === undefined) return;
    const isFile = FILE_ANNOTATIONS.some((name) => unknown.startsWith(PREFIX + name));
    throw new InjectionError(
      isFile ? `${unknown} belongs to no agent-inject-secret annotation` : `unknown annotation ${unknown}`,
    );
  }
}
