import { ConfigMapV1 } from "@cdktf/provider-kubernetes/lib/config-map-v1";
import type { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import { setAddress } from "../address";
import { literalText } from "../literal-text";

/** Input of {@link AgentConfigMap}. */
export interface AgentConfigMapProps {
  readonly name: string;
  readonly namespace: string;
  /** Configurations by file name. */
  readonly data: Readonly<Record<string, string>>;
  /** Distinguishes it from others in the Terraform address. @default the ConfigMap's name */
  readonly word?: string;
  /** @default the stack's own Kubernetes provider */
  readonly provider?: KubernetesProvider;
}

/**
 * The configurations of a workload's agents, where they are too large for the variable in which the injector hands them
 * over. Templates and paths, never a value.
 *
 * @example
 * new AgentConfigMap(stack, "agent", { ...pod.agentConfig, namespace: pod.namespace });
 */
export class AgentConfigMap extends Construct {
  /** Dependency that pods which mount it must wait for. */
  readonly made: ITerraformDependable;

  constructor(scope: Construct, id: string, { name, namespace, data, word, provider }: AgentConfigMapProps) {
    super(scope, id);
    this.made = setAddress(
      this,
      new ConfigMapV1(this, "config-map", {
        ...(provider ? { provider } : {}),
        metadata: { name, namespace },
        data: Object.fromEntries(Object.entries(data).map(([file, text]) => [file, literalText(text)])),
      }),
      word ?? name,
    );
  }
}
