import { type Duration, goDuration } from "../../model/duration";

/** One file that the agent renders, as its configuration has it. */
export interface AgentFile {
  /** Path below the folder of secrets. */
  readonly path: string;
  /** consul-template text. */
  readonly template: string;
  /** Octal file mode. */
  readonly mode: string;
  /** Run by the agent after the file has changed. */
  readonly command?: string;
}

/** Input of an agent's configuration. */
export interface AgentConfigInput {
  readonly authType: "kubernetes" | "jwt";
  /** `auth/kubernetes-prod-eu`. */
  readonly authPath: string;
  readonly role: string;
  readonly namespace?: string;
  readonly address: string;
  readonly caFile?: string;
  readonly tokenFile: string;
  readonly refreshEvery: Duration;
  /** Folder of the files. */
  readonly folder: string;
  readonly files: readonly AgentFile[];
}

/**
 * The configuration that the injector makes of a pod's annotations (hashicorp/vault-k8s 1.7, `agent-inject/agent/config.go`), for
 * the init container's agent, which renders once and ends, or for the sidecar's.
 */
export function agentConfig(input: AgentConfigInput, container: "init" | "sidecar"): object {
  const isJwt = input.authType === "jwt";
  return {
    auto_auth: {
      method: {
        type: input.authType,
        mount_path: input.authPath,
        ...(input.namespace ? { namespace: input.namespace } : {}),
        config: {
          ...(isJwt ? { path: input.tokenFile, remove_jwt_after_reading: "false" } : {}),
          role: input.role,
          token_path: input.tokenFile,
        },
      },
      sink: [{ type: "file", config: { path: "/home/vault/.vault-token" } }],
    },
    exit_after_auth: container === "init",
    pid_file: "/home/vault/.pid",
    vault: {
      address: input.address,
      ...(input.caFile ? { ca_cert: input.caFile } : {}),
      tls_skip_verify: false,
    },
    template: input.files.map(({ path, template, mode, command }) => ({
      destination: `${input.folder}/${path}`,
      contents: template,
      left_delimiter: "{{",
      right_delimiter: "}}",
      ...(command ? { command } : {}),
      perms: mode,
      error_on_missing_key: true,
    })),
    template_config: {
      // As the annotation says it, for the same reason.
      exit_on_retry_failure: false,
      static_secret_render_interval: goDuration(input.refreshEvery),
    },
  };
}

/** Linux takes 128 KiB for one variable with its name and the zero after it (MAX_ARG_STRLEN, execve(2)). */
const VARIABLE_LIMIT = 131_072 - "VAULT_CONFIG=".length - 1;
/** Bytes that an injector's own settings may add to every pod: back-offs, telemetry. */
const RESERVE = 2_048;
/** Kubernetes takes 1 MiB in one ConfigMap. https://kubernetes.io/docs/concepts/configuration/configmap/ */
export const CONFIG_MAP_LIMIT = 1_048_576;

/** JSON as Go writes it: `<`, `>` and `&` take six characters. */
const goJson = (value: object): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** `true` where the injector can hand a configuration over: it does so in base64, in one environment variable. */
export const fitsVariable = (config: object): boolean =>
  Math.ceil((Buffer.byteLength(goJson(config)) + RESERVE) / 3) * 4 <= VARIABLE_LIMIT;
