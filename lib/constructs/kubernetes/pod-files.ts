import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TerraformStack } from "cdktf";
// The engine does not list it in its index, but its own assets write their files by it.
import { addCustomSynthesis } from "cdktf/lib/synthesize/synthesizer";
import { Construct } from "constructs";
import { stringify } from "yaml";
import { CA_FILE, type ClusterPlan, type PodPlan, type WorkloadPlan } from "../../blueprint";
import { isJob } from "../../model/controller-kinds";
import { isRecord } from "../../model/is-record";
import { isNamespacePattern } from "../../model/namespace-patterns";
import { podTemplatePatch } from "./pod-template-patch";
import { roleAnnotations } from "./workload-service-account";

/** Input of {@link PodFiles}. */
export interface PodFilesProps {
  readonly workloads: readonly WorkloadPlan[];
  readonly cluster: ClusterPlan;
}

/** A file by its path below the stack's folder. */
export interface PodFile {
  readonly path: string;
  readonly content: string;
}

const HEADER = "# Generated from the secrets registry by synth. Change the registry, not this file.\n";

// No folding: a template's line breaks are part of it.
const yaml = (value: unknown): string => HEADER + stringify(value, { lineWidth: 0, sortMapEntries: true });

/** Namespace of an object; none where it is a pattern: the tool that makes a preview environment sets its own. */
const namespaceOf = ({ namespace }: WorkloadPlan): { readonly namespace?: string } =>
  isNamespacePattern(namespace) ? {} : { namespace };

function serviceAccount(workload: WorkloadPlan, cluster: ClusterPlan): object {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      name: workload.serviceAccount,
      ...namespaceOf(workload),
      annotations: roleAnnotations(workload, cluster.identity),
    },
    automountServiceAccountToken: false,
  };
}

/** Text that Helm's `tpl` gives back as it is. */
const escaped = (text: string): string =>
  text.replaceAll(/\{\{|\}\}/g, (braces) => `{{ ${JSON.stringify(braces)} }}`);

/** `{ a: { b: value } }` for `a.b`. */
const valueAt = (path: string, value: object): object =>
  path.split(".").reduceRight<object>((inner, key) => ({ [key]: inner }), value);

/** Places may lie below one another's keys. */
function merged(one: object, other: object): object {
  const result: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const present = result[key];
    result[key] = isRecord(present) && isRecord(value) ? merged(present, value) : value;
  }
  return result;
}

/** Values for the workload's chart, at the places that it names; `serviceAccount` is as charts of `helm create` have it. */
function helmValues(workload: WorkloadPlan, cluster: ClusterPlan, pod: PodPlan): object {
  const { annotationsAt, volumesAt, tpl } = workload.helm;
  const annotations = tpl
    ? Object.fromEntries(Object.entries(pod.annotations).map(([name, text]) => [name, escaped(text)]))
    : pod.annotations;
  return [
    valueAt(annotationsAt, annotations),
    {
      serviceAccount: {
        create: workload.manage !== "create",
        name: workload.serviceAccount,
        annotations: roleAnnotations(workload, cluster.identity),
      },
    },
    valueAt(volumesAt, pod.volumes),
  ].reduce(merged);
}

function caSecret(workload: WorkloadPlan, ca: { readonly name: string; readonly pem: string }): object {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: ca.name, ...namespaceOf(workload) },
    type: "Opaque",
    stringData: { [CA_FILE]: ca.pem },
  };
}

function configMap(workload: WorkloadPlan, { name, data }: NonNullable<PodPlan["agentConfig"]>): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...namespaceOf(workload) }, data };
}

/** An object whose pods are the workload's, with the beginning of its files' names. */
interface PatchedController {
  readonly kind: WorkloadPlan["controller"];
  readonly name: string;
  readonly prefix: string;
}

const patchedControllers = ({ controllers }: WorkloadPlan): readonly PatchedController[] =>
  controllers.map(({ kind, name }, index) => ({
    kind,
    name,
    prefix: index === 0 ? "" : `${kind.toLowerCase()}-${name}-`,
  }));

const apiVersionOf = (kind: WorkloadPlan["controller"]): string =>
  kind === "Rollout" ? "argoproj.io/v1alpha1" : isJob(kind) ? "batch/v1" : "apps/v1";

/**
 * Kustomize merges lists of the kinds that it knows, and replaces those of others: what the pods of a Rollout have besides would be
 * lost. So its volume is added to the list, which must be there.
 * https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/
 */
const addsVolumes = ({ kind }: PatchedController, { volumes }: PodPlan): boolean =>
  kind === "Rollout" && volumes.length > 0;

/** The patches of one object, by their names. */
function patchesOf(
  controller: PatchedController,
  pod: PodPlan,
): readonly { name: string; content: string }[] {
  const { kind, name, prefix } = controller;
  return [
    {
      name: `${prefix}patch.yaml`,
      content: yaml({
        apiVersion: apiVersionOf(kind),
        kind,
        metadata: { name },
        ...podTemplatePatch(pod, kind),
      }),
    },
    ...(addsVolumes(controller, pod)
      ? [
          {
            name: `${prefix}volumes.yaml`,
            content: yaml(
              pod.volumes.map((value) => ({ op: "add", path: "/spec/template/spec/volumes/-", value })),
            ),
          },
        ]
      : []),
  ];
}

/**
 * The files of one workload in one cluster: Helm values, and a Kustomize component that patches its Deployment, StatefulSet or DaemonSet.
 * For a workload that GitOps manages as a whole (`external`), the component brings the ServiceAccount and the
 * Vault's CA along, and the agents' configurations where they are too large for annotations.
 */
export function podFiles(workload: WorkloadPlan, cluster: ClusterPlan): readonly PodFile[] {
  const pod = workload.pods.find((candidate) => candidate.cluster === cluster.name);
  if (!pod) return [];
  const at = (name: string): string => join("pods", cluster.name, workload.name, name);
  const external = workload.manage === "external";
  const resources: PodFile[] = external
    ? [
        { path: at("service-account.yaml"), content: yaml(serviceAccount(workload, cluster)) },
        ...(pod.vaultCa
          ? [{ path: at("vault-ca.yaml"), content: yaml(caSecret(workload, pod.vaultCa)) }]
          : []),
        ...(pod.agentConfig
          ? [{ path: at("agent-config.yaml"), content: yaml(configMap(workload, pod.agentConfig)) }]
          : []),
      ]
    : [];
  const controllers = patchedControllers(workload).map((controller) => ({
    target: { kind: controller.kind, name: `^${controller.name}$` },
    patches: patchesOf(controller, pod),
  }));
  const names = resources.map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
  return [
    { path: at("values.yaml"), content: yaml(helmValues(workload, cluster, pod)) },
    {
      path: at("kustomization.yaml"),
      content: yaml({
        apiVersion: "kustomize.config.k8s.io/v1alpha1",
        kind: "Component",
        ...(names.length > 0 ? { resources: names } : {}),
        patches: controllers.flatMap(({ target, patches }) =>
          patches.map(({ name }) => ({ path: name, target })),
        ),
      }),
    },
    ...controllers.flatMap(({ patches }) =>
      patches.map(({ name, content }) => ({ path: at(name), content })),
    ),
    ...resources,
  ];
}

/**
 * Writes, at synth, the files by which pods get their annotations, ServiceAccount and token volume:
 * `pods/<cluster>/<workload>/` beside the stack's Terraform. This is the default way, because a Deployment that
 * GitOps owns has one owner only.
 *
 * @example
 * new PodFiles(stack, "pods", { workloads: plan.workloads, cluster: plan.clusters[0] });
 */
export class PodFiles extends Construct {
  constructor(scope: Construct, id: string, { workloads, cluster }: PodFilesProps) {
    super(scope, id);
    addCustomSynthesis(this, {
      onSynthesize: ({ outdir, manifest }) => {
        const folder = join(outdir, manifest.forStack(TerraformStack.of(this)).workingDirectory);
        // One workload's at a time: all files of a large registry are a good part of its memory.
        const paths = workloads.flatMap((workload) =>
          podFiles(workload, cluster).map(({ path, content }) => {
            writeIfOther(join(folder, path), content);
            return path;
          }),
        );
        removeOthers(folder, join("pods", cluster.name), new Set(paths));
      },
    });
  }
}

/** Leaves a file alone that has the content: most do not change from one synth to the next. */
function writeIfOther(file: string, content: string): void {
  if (existsSync(file) && readFileSync(file, "utf8") === content) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/**
 * Removes what is not among the files: a workload that left the registry leaves none behind.
 *
 * @returns true where nothing is left below
 */
function removeOthers(folder: string, below: string, files: ReadonlySet<string>): boolean {
  if (!existsSync(join(folder, below))) return true;
  const left = readdirSync(join(folder, below), { withFileTypes: true }).filter((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory() ? !removeOthers(folder, path, files) : files.has(path)) return true;
    rmSync(join(folder, path), { recursive: true, force: true });
    return false;
  });
  return left.length === 0;
}
