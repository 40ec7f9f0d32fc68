import { join } from "node:path";
import { shellQuoted } from "../../../../lib/model/shell-quoted";

/**
 * The Vault Agent Injector's work for a pod: the agent's configuration from annotations and volumes, by the
 * same rules. Source: hashicorp/vault-k8s 1.7.6, `agent-inject/agent/{annotations,agent,config}.go`; a test holds it against
 * recorded answers of that code. It knows the
 * annotations that the blueprint writes and refuses others of the injector's, so that an annotation cannot go unproven.
 */

/** The part of a pod that the injector reads. */
export interface InjectablePod {
  readonly annotations: Readonly<Record<string, string>>;
  /** The ConfigMap that `agent-configmap` names, as the namespace has it. */
  readonly agentConfig?: { readonly name: string; readonly data: Readonly<Record<string, string>> };
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
  /**
   * Commands of a registry are made for containers: on this machine `kill -HUP nginx` would reach its own nginx. `name`: the
   * agent says in its log what it would have run. `run`: a test's own command, with the containers' folders below `root`.
   * @default name
   */
  readonly commands?: "name" | "run";
}

/** The injector's refusal of a pod. */
export class InjectionError extends Error {
  override readonly name = "InjectionError";
}

/** Configuration of one of the two agents of a pod. */
export interface InjectedAgent {
  readonly container: "init" | "sidecar";
  /** The agent's configuration, as JSON. */
  readonly config: object;
  /** Folder that stands for the container's `/home/vault`: each of the two has its own. */
  readonly home: string;
  /** File in which the token for Vault must lie, below the root. */
  readonly tokenFile: string;
  /** Audience of that token, from the projected volume. */
  readonly audience: string;
  /** Folder of the secrets' volume, below the root. */
  readonly secrets: string;
  /** Rendered files, below the root. */
  readonly files: readonly { readonly path: string; readonly mode: string }[];
}

const PREFIX = "vault.hashicorp.com/";
/** vault-k8s `DefaultServiceAccountMount`: where a volume goes that no container mounts. */
const TOKEN_MOUNT = "/var/run/secrets/vault.hashicorp.com/serviceaccount";
/** vault-k8s `secretVolumePath`, where no annotation names another. */
const SECRETS_MOUNT = "/vault/secrets";

/** Annotations whose effect is outside of the agent's configuration: containers, resources, users. */
const POD_ANNOTATIONS = [
  "agent-init-first",
  "agent-inject-containers",
  "agent-limits-cpu",
  "agent-limits-mem",
  "agent-pre-populate-only",
  "agent-requests-cpu",
  "agent-requests-mem",
  "agent-run-as-group",
  "agent-run-as-user",
  "agent-set-security-context",
];

const FILE_ANNOTATIONS = [
  "agent-inject-secret-",
  "agent-inject-file-",
  "agent-inject-template-",
  "agent-inject-perms-",
  "agent-inject-command-",
  "error-on-missing-key-",
];

/** An agent's configuration, by the same names in HCL and JSON. */
interface AgentConfig {
  readonly auto_auth: {
    readonly method: { readonly config: Readonly<Record<string, string>> } & Readonly<
      Record<string, unknown>
    >;
    readonly sink: readonly { readonly type: string; readonly config: { readonly path: string } }[];
  };
  readonly exit_after_auth: boolean;
  readonly pid_file: string;
  readonly vault: Readonly<Record<string, unknown>>;
  readonly template: readonly ({
    readonly destination: string;
    readonly perms: string;
    readonly command?: string;
  } & Readonly<Record<string, unknown>>)[];
  readonly template_config: Readonly<Record<string, unknown>>;
}

/** Linux: one variable, with its name and the zero after it (MAX_ARG_STRLEN, execve(2)). */
const VARIABLE_LIMIT = 131_072;

/**
 * Makes the configuration of the init container's agent (which renders once and ends) or of the sidecar's
 * (which stays).
 *
 * @throws InjectionError where the injector would refuse the pod, or Linux its container
 */
export function injectedAgent(
  pod: InjectablePod,
  container: "init" | "sidecar",
  settings: InjectedAgentSettings,
): InjectedAgent {
  const annotations = new Reader(pod.annotations);
  if (container === "sidecar" && pod.annotations[`${PREFIX}agent-pre-populate-only`] === "true")
    throw new InjectionError("a pod that is only pre-populated has no sidecar");
  if (annotations.take("agent-inject") !== "true")
    throw new InjectionError("the pod does not ask for an agent");
  const token = tokenVolume(pod, annotations.need("agent-service-account-token-volume-name"));
  const tokenFile = `${TOKEN_MOUNT}/${token.path}`;
  const configMap = annotations.take("agent-configmap");
  const mount = annotations.take("secret-volume-path") ?? SECRETS_MOUNT;
  annotations.need("service");
  // The Secret that `tls-secret` names is mounted where `ca-cert` points; here the file is given.
  const caFile = annotations.take("ca-cert");
  if ((annotations.take("tls-secret") === undefined) !== (caFile === undefined)) {
    throw new InjectionError("tls-secret and ca-cert go together");
  }
  const config =
    configMap === undefined
      ? configOf(annotations, container, tokenFile, caFile, mount)
      : configIn(pod, configMap, container === "init" ? "config-init.hcl" : "config.hcl");
  annotations.refuseRest();
  const variable = Buffer.from(JSON.stringify(config)).toString("base64");
  if (configMap === undefined && `VAULT_CONFIG=${variable}`.length + 1 > VARIABLE_LIMIT) {
    throw new InjectionError(
      `exec: argument list too long: VAULT_CONFIG takes ${variable.length} of ${VARIABLE_LIMIT} bytes`,
    );
  }
  const home = join(settings.root, `home-${container}`);
  const relocated = relocate(config, home, mount, settings);
  return {
    container,
    config: relocated,
    home,
    tokenFile: join(settings.root, tokenFile),
    audience: token.audience,
    secrets: join(settings.root, mount),
    files: relocated.template.map(({ destination, perms }) => ({ path: destination, mode: perms })),
  };
}

/** The configuration out of annotations (`newConfig`). */
function configOf(
  annotations: Reader,
  container: "init" | "sidecar",
  tokenFile: string,
  caFile: string | undefined,
  mount: string,
): AgentConfig {
  const authConfig = Object.fromEntries(
    annotations
      .suffixes("auth-config-")
      .map((name) => [name.replaceAll("-", "_"), annotations.need(`auth-config-${name}`)]),
  );
  return {
    auto_auth: {
      method: {
        type: annotations.need("auth-type"),
        mount_path: annotations.need("auth-path"),
        ...optional("namespace", annotations.take("namespace")),
        config: { token_path: tokenFile, ...authConfig, role: annotations.need("role") },
      },
      sink: [{ type: "file", config: { path: "/home/vault/.vault-token" } }],
    },
    exit_after_auth: container === "init",
    pid_file: "/home/vault/.pid",
    vault: { ...optional("ca_cert", caFile) },
    template: annotations.suffixes("agent-inject-secret-").map((suffix) => {
      annotations.need(`agent-inject-secret-${suffix}`);
      return {
        destination: `${mount}/${annotations.need(`agent-inject-file-${suffix}`)}`,
        contents: annotations.need(`agent-inject-template-${suffix}`),
        perms: annotations.need(`agent-inject-perms-${suffix}`),
        error_on_missing_key: annotations.need(`error-on-missing-key-${suffix}`) === "true",
        ...optional("command", annotations.take(`agent-inject-command-${suffix}`)),
      };
    }),
    template_config: {
      exit_on_retry_failure: annotations.need("template-config-exit-on-retry-failure") === "true",
      static_secret_render_interval: annotations.need("template-static-secret-render-interval"),
    },
  };
}

/** The configuration out of a ConfigMap, which must exist where the pod is. */
function configIn({ agentConfig }: InjectablePod, name: string, file: string): AgentConfig {
  const text = agentConfig?.name === name ? agentConfig.data[file] : undefined;
  if (text === undefined) throw new InjectionError(`configmap ${JSON.stringify(name)} has no ${file}`);
  return JSON.parse(text);
}

/** The same configuration where containers' folders and the Vault are those of the rehearsal. */
function relocate(
  config: AgentConfig,
  home: string,
  mount: string,
  settings: InjectedAgentSettings,
): AgentConfig {
  const at = (path: string): string =>
    path.startsWith("/home/vault/")
      ? join(home, path.slice("/home/vault".length))
      : join(settings.root, path);
  const { method, sink } = config.auto_auth;
  const { path, token_path, ...rest } = method.config;
  return {
    ...config,
    auto_auth: {
      method: {
        ...method,
        config: {
          ...rest,
          ...(path === undefined ? {} : { path: at(path) }),
          ...(token_path === undefined ? {} : { token_path: at(token_path) }),
        },
      },
      sink: sink.map(({ type, config: { path: file } }) => ({ type, config: { path: at(file) } })),
    },
    pid_file: at(config.pid_file),
    vault: {
      address: settings.vaultAddress,
      ...optional("ca_cert", settings.caFile),
      ...(settings.retries === undefined ? {} : { retry: { num_retries: settings.retries } }),
    },
    template: config.template.map(({ command, ...template }) => ({
      ...template,
      destination: at(template.destination),
      ...optional("command", commandOf(command, home, mount, settings)),
    })),
    template_config: {
      ...config.template_config,
      ...optional("static_secret_render_interval", settings.renderInterval),
    },
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

/** {@link InjectedAgentSettings.commands} */
function commandOf(
  command: string | undefined,
  home: string,
  mount: string,
  { commands = "name", root }: InjectedAgentSettings,
): string | undefined {
  if (command === undefined) return undefined;
  if (commands === "run") return command.replaceAll("/home/vault", home).replaceAll(mount, join(root, mount));
  return `printf '%s\\n' ${shellQuoted(`would have run: ${command}`)}`;
}

const optional = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value };

/** Reads annotations and remembers which were read. */
class Reader {
  private readonly unread: Set<string>;

  constructor(private readonly annotations: Readonly<Record<string, string>>) {
    this.unread = new Set(Object.keys(annotations).filter((name) => name.startsWith(PREFIX)));
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
