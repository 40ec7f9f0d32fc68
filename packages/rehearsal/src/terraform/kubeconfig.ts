import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { UserFault } from "../../../../lib/cli";
import type { StackJson } from "./stack-json";

/**
 * A stack whose Kubernetes resources go to the cluster of the kubeconfig: its current context, or, in a stack with several
 * clusters, the context of each cluster's name. Blocks that open the real cluster cannot be overridden away, so they go.
 *
 * @throws UserFault when there is no kubeconfig
 */
export function kubeconfigProviders(stack: StackJson): StackJson {
  const { kubernetes = [] } = stack.provider;
  if (kubernetes.length === 0) return stack;
  const paths = (process.env.KUBECONFIG ?? join(homedir(), ".kube", "config")).split(delimiter);
  if (!paths.some((path) => existsSync(path))) {
    throw new UserFault(
      `No kubeconfig at ${paths.join(", ")}. Set KUBECONFIG to that of a cluster for the rehearsal, or leave Kubernetes out with --without-kubernetes.`,
    );
  }
  const several = kubernetes.length > 1;
  return {
    ...stack,
    provider: {
      ...stack.provider,
      kubernetes: kubernetes.map(({ alias }) => ({
        ...(alias ? { alias } : {}),
        config_paths: paths,
        ...(several && alias ? { config_context: alias } : {}),
      })),
    },
  };
}
