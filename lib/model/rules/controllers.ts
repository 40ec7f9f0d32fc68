import { isJob } from "../controller-kinds";
import { controllersOf, type NamedController } from "../controllers";
import { type Fault, fault, type PathStep } from "../faults";
import { serviceAccountOf } from "../service-account";
import { forEnvironments, type RuleContext } from "./context";

const idOf = ({ kind, name }: NamedController): string => `${kind} ${name}`;

const at = (workload: string, index: number): readonly PathStep[] =>
  index === 0
    ? ["workloads", workload, "controller"]
    : ["workloads", workload, "furtherControllers", index - 1];

/** Faults of the objects that make a workload's pods: all of its pods have the same annotations, and each object is patched once. */
export const controllerFaults = (context: RuleContext): readonly Fault[] => [
  ...[...context.parsed.workloads].flatMap(([name, workload]) => {
    const { controller, delivery } = workload;
    return workload.furtherControllers.flatMap((further, index): readonly Fault[] => {
      const path = [...at(name, index + 1), "kind"];
      if (isJob(controller) !== isJob(further.kind))
        return [
          fault(
            path,
            `${further.kind} ${further.name}, of a workload whose controller is a ${controller}`,
            "kinds whose pods all stay, or whose pods all end: an agent beside a Job's would keep it from its end",
            "make it a workload of its own, with its own serviceAccount and the same consumers",
          ),
        ];
      if (delivery.how === "patch" && (further.kind === "Rollout" || further.kind === "Job"))
        return [
          fault(
            path,
            `${further.kind} ${further.name}, with delivery "patch"`,
            "kinds that Terraform can patch: Deployment, StatefulSet, DaemonSet and CronJob",
            `remove workloads.${name}.delivery, and use the files`,
          ),
        ];
      return [];
    });
  }),
  ...sharedControllerFaults(context),
];

/** An object's pods have one ServiceAccount. */
const sharedControllerFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (environmentName, environment) => {
    const holders = new Map<string, string>();
    return [...context.parsed.workloads].flatMap(([name, workload]) => {
      const { namespace } = serviceAccountOf(environmentName, environment, name, workload);
      return controllersOf(name, workload).flatMap((controller, index) => {
        const id = `${namespace} ${idOf(controller)}`;
        const holder = holders.get(id);
        holders.set(id, holder ?? name);
        if (holder === undefined) return [];
        return [
          fault(
            at(name, index),
            `${idOf(controller)} in namespace ${namespace}, which makes pods of workload ${holder}${holder === name ? " already" : ""}`,
            "an object that is named once: its pods have one ServiceAccount",
            holder === name
              ? "remove it"
              : `name the object of this workload (furtherControllers, reload.deployment or delivery.deployment), or let ${holder} have the secrets too`,
          ),
        ];
      });
    });
  });
