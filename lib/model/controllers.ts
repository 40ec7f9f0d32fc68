import type { ControllerKind, JobKind } from "./controller-kinds";
import type { ParsedWorkload } from "./workload-definition";

/** An object of a namespace that makes pods of a workload. */
export interface NamedController {
  readonly kind: ControllerKind | JobKind;
  readonly name: string;
}

/** Name of the object that makes a workload's pods first of all: the author's, where a restart or a patch names it, else the workload's. */
export const controllerNameOf = (
  name: string,
  { reload, delivery }: Pick<ParsedWorkload, "reload" | "delivery">,
): string =>
  (reload.how === "redeploy" ? reload.deployment : undefined) ??
  (delivery.how === "patch" ? delivery.deployment : name);

/** Every object that makes a workload's pods, its own first. */
export const controllersOf = (
  name: string,
  workload: Pick<ParsedWorkload, "reload" | "delivery" | "controller" | "furtherControllers">,
): readonly NamedController[] => [
  { kind: workload.controller, name: controllerNameOf(name, workload) },
  ...workload.furtherControllers,
];
