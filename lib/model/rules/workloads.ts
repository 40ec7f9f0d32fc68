import { AGENT_RESOURCES } from "../agent-resources";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault } from "../faults";
import { defaultFilePath, defaultFilesOf, hasPublicField, variableName, variablePrefix } from "../files";
import { traitsOf } from "../kinds";
import { defaultRolePath, roleName } from "../names";
import { isNamespacePattern, namespacesMeet } from "../namespace-patterns";
import { partitionOf } from "../partitions";
import { compactLength } from "../policy-document";
import { amountOf } from "../quantity";
import { serviceAccountOf } from "../service-account";
import { TRUST_POLICY_LIMIT, trustPolicy } from "../trust-policy";
import { clustersWith } from "../workload-clusters";
import type { ParsedWorkload } from "../workload-definition";
import { forEnvironments, type RuleContext } from "./context";

/** One ServiceAccount is one identity: two workloads on it would have each other's rights. */
export const serviceAccountFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (environmentName, environment) => {
    const holders = new Map<string, { readonly name: string; readonly namespace: string }[]>();
    return [...context.parsed.workloads].flatMap(([name, workload]) => {
      const { namespace, serviceAccount } = serviceAccountOf(environmentName, environment, name, workload);
      const known = holders.get(serviceAccount) ?? [];
      const holder = known.find((other) => namespacesMeet(other.namespace, namespace));
      holders.set(serviceAccount, [...known, { name, namespace }]);
      if (holder === undefined) return [];
      return [
        fault(
          ["workloads", name, "serviceAccount"],
          `${namespace}/${serviceAccount}, the ServiceAccount of ${JSON.stringify(holder.name)}`,
          "a ServiceAccount of its own for each workload",
          "give one of them another ServiceAccount, or make them one workload",
        ),
      ];
    });
  });

/** A trust policy grows with every cluster, and AWS does not take it past 2,048 characters. */
export const trustPolicyFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (environmentName, environment) =>
    [...context.parsed.workloads].flatMap(([name, workload]) => {
      const lengthBy = (identity: ParsedEnvironment["identity"]): number =>
        trustPolicyLength(context.parsed.id, { environmentName, environment, name, workload, identity });
      const length = lengthBy(environment.identity);
      if (length <= TRUST_POLICY_LIMIT) return [];
      // Pod Identity's grows too, though by less, and it knows no patterns.
      const isShorter =
        lengthBy("pod-identity") <= TRUST_POLICY_LIMIT &&
        !isNamespacePattern(serviceAccountOf(environmentName, environment, name, workload).namespace);
      return [
        fault(
          ["workloads", name],
          `a trust policy of ${length} characters in ${environmentName}, for ${environment.clusters.length} clusters`,
          `${TRUST_POLICY_LIMIT} characters, as IAM takes trust policies`,
          environment.identity === "irsa" && isShorter
            ? `choose identity "pod-identity" (EKS Pod Identity) for ${environmentName}, or fewer clusters`
            : `let it live in fewer clusters: name them in workloads.${name}.environments.${environmentName}.clusters, or make several workloads of it`,
        ),
      ];
    }),
  );

/** Characters of a workload's trust policy by one way of identity. */
function trustPolicyLength(
  registry: string,
  {
    environmentName,
    environment,
    name,
    workload,
    identity,
  }: {
    readonly environmentName: string;
    readonly environment: ParsedEnvironment;
    readonly name: string;
    readonly workload: ParsedWorkload;
    readonly identity: ParsedEnvironment["identity"];
  },
): number {
  return compactLength(
    trustPolicy({
      partition: partitionOf(environment.regions.primary),
      account: environment.account,
      role: {
        path: environment.rolePath ?? defaultRolePath(registry, environmentName),
        name: roleName(registry, environmentName, name),
      },
      identity,
      clusters: clustersWith(environmentName, environment.clusters, workload).map((cluster) => ({
        ...cluster,
        account: cluster.account ?? environment.account,
      })),
      ...serviceAccountOf(environmentName, environment, name, workload),
    }),
  );
}

/** A workload has one Deployment: the one that delivery patches is the one that a rotation restarts. */
export const deploymentFaults = (context: RuleContext): readonly Fault[] =>
  [...context.parsed.workloads].flatMap(([name, { reload, delivery }]) =>
    reload.how === "redeploy" &&
    reload.deployment !== undefined &&
    delivery.how === "patch" &&
    reload.deployment !== delivery.deployment
      ? [
          fault(
            ["workloads", name, "reload", "deployment"],
            JSON.stringify(reload.deployment),
            `${JSON.stringify(delivery.deployment)}, the Deployment that delivery patches`,
            "remove it, or name the same Deployment in both places",
          ),
        ]
      : [],
  );

/** Two files of one pod at one path would overwrite each other. */
export const fileFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (environmentName, environment, secrets) => {
    const { parsed } = context;
    const holders = new Map<string, string>();
    return secrets.flatMap((secret) =>
      secret.consumers.flatMap((consumer) => {
        const files = consumer.files ?? defaultFilesOf(secret.kind);
        return files.flatMap((file) => {
          const path = ["secrets", secret.key, "files"];
          if (file.format === "public" && !hasPublicField(secret.kind)) {
            return [
              fault(
                path,
                `format "public" of a ${secret.kind}`,
                "format public where the kind has a public half, such as a JWKS",
                "choose json, env or template",
              ),
            ];
          }
          if (file.version && secret.store === "vault") {
            return [
              fault(
                path,
                "version: true, of a secret that Vault makes",
                "the version of a secret with store aws: what Vault makes has none",
                "remove it",
              ),
            ];
          }
          const reader = parsed.workloads.get(consumer.workload);
          if (
            file.mode !== undefined &&
            reader &&
            // OpenShift gives the agent and the application one user.
            clustersWith(environmentName, environment.clusters, reader).some(
              ({ platform }) => platform !== "openshift",
            ) &&
            !canRead(reader, file.mode)
          ) {
            return [
              fault(
                path,
                `mode ${file.mode} for ${consumer.workload}, whose agent runs as a user of its own`,
                "a mode by which the application can read the file",
                `name workloads.${consumer.workload}.runAsUser, as whom the agent runs too, or choose mode 0644`,
              ),
            ];
          }
          const filePath = defaultFilePath(secret.key, file);
          const place = `${consumer.workload} ${filePath}`;
          const holder = holders.get(place);
          holders.set(place, holder ?? secret.key);
          // A consumer named twice is a fault of its own.
          const isRepeated =
            secret.consumers.filter(({ workload }) => workload === consumer.workload).length > 1;
          if (holder === undefined || (holder === secret.key && isRepeated)) return [];
          return [
            fault(
              path,
              `${filePath} for ${consumer.workload}, which secrets[${JSON.stringify(holder)}] renders too`,
              "a path of its own for each file of a workload",
              "give one of them another `path`",
            ),
          ];
        });
      }),
    );
  });

/** A shell that reads two files of one pod keeps the later of two variables of one name, in silence. */
export const variableFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (_, __, secrets) => {
    const holders = new Map<string, string>();
    return secrets.flatMap((secret) => {
      const fields =
        secret.kind === "generic"
          ? secret.settings.fields
          : traitsOf(secret.kind).fields.map(({ name }) => name);
      return secret.consumers.flatMap(({ workload, files = [] }) =>
        files.flatMap((file): readonly Fault[] => {
          if (file.format !== "env") return [];
          const prefix = variablePrefix(secret.key, file);
          const variables = fields.map((field) => prefix + variableName(field));
          const twice = variables.find((name) => {
            const holder = holders.get(`${workload} ${name}`);
            return holder !== undefined && holder !== secret.key;
          });
          for (const name of variables) {
            const id = `${workload} ${name}`;
            holders.set(id, holders.get(id) ?? secret.key);
          }
          if (twice === undefined) return [];
          const holder = holders.get(`${workload} ${twice}`) ?? "";
          return [
            fault(
              ["secrets", secret.key, "files"],
              `${twice} for ${workload}, which secrets[${JSON.stringify(holder)}] has too`,
              "variables that differ among the env files of a workload: a shell keeps the later one",
              "give one of the files another `prefix`",
            ),
          ];
        }),
      );
    });
  });

/**
 * `true` where a file's mode lets the application read it. Without the application's own user or group, the agent's
 * files are those of another user.
 */
function canRead({ runAsUser, runAsGroup }: ParsedWorkload, mode: string): boolean {
  const bits = Number.parseInt(mode, 8);
  return (
    (bits & 0o004) !== 0 ||
    (runAsUser !== undefined && (bits & 0o400) !== 0) ||
    (runAsGroup !== undefined && (bits & 0o040) !== 0)
  );
}

/** Kubernetes refuses a container that asks for more than it may have. */
export const resourceFaults = ({ parsed }: RuleContext): readonly Fault[] =>
  [...parsed.workloads].flatMap(
    ([
      name,
      {
        agentResources: { requests, limits },
      },
    ]) =>
      (["cpu", "memory"] as const).flatMap((resource) => {
        const request = requests?.[resource] ?? AGENT_RESOURCES.requests[resource];
        const limit = limits?.[resource] ?? AGENT_RESOURCES.limits[resource];
        if (limit === "" || (amountOf(request) ?? 0) <= (amountOf(limit) ?? 0)) return [];
        return [
          fault(
            ["workloads", name, "agentResources", requests?.[resource] ? "requests" : "limits", resource],
            `${request} requested, and at most ${limit}`,
            "a request that is not above its limit",
            "lower the request, or raise the limit",
          ),
        ];
      }),
  );
