import { isJob } from "../controller-kinds";
import { formatDuration } from "../duration";
import { type Fault, fault } from "../faults";
import { forEnvironments, type RuleContext } from "./context";

/** Faults of settings that only a workload whose pods end by themselves may have, and of those that it may not have. */
export function jobFaults(context: RuleContext): readonly Fault[] {
  const own = [...context.parsed.workloads].flatMap(
    ([name, { controller, longestRun, reload, delivery }]): readonly Fault[] => {
      const at = (setting: string): readonly string[] => ["workloads", name, setting];
      if (!isJob(controller)) {
        // Kubernetes merges lists of kinds that it knows; a Rollout's volumes would be replaced.
        const patched: readonly Fault[] =
          controller === "Rollout" && delivery.how === "patch"
            ? [
                fault(
                  at("delivery"),
                  '"patch", for a Rollout',
                  "files: Kubernetes merges no lists of Argo's kinds, so that a patch would take the pods' other volumes away",
                  "remove it, and use the files where the Rollout is made",
                ),
              ]
            : [];
        return longestRun === undefined
          ? patched
          : [
              ...patched,
              fault(
                at("longestRun"),
                `${formatDuration(longestRun)}, for a ${controller}`,
                "nothing: its pods stay, and take up new values",
                "remove it, or let `controller` be Job or CronJob",
              ),
            ];
      }
      return [
        ...(longestRun === undefined
          ? [
              fault(
                at("longestRun"),
                `nothing, for a ${controller}`,
                "how long one run may take: until its end it has the values of its start",
                "add it, such as hours(2), and set the same as activeDeadlineSeconds",
              ),
            ]
          : []),
        ...(reload.how === "file-watch"
          ? []
          : [
              fault(
                at("reload"),
                `${JSON.stringify(reload.how)}, for a ${controller}`,
                "nothing: the next run has the new value, and no agent stays beside one that runs",
                "remove it",
              ),
            ]),
        ...(controller === "Job" && delivery.how === "patch"
          ? [
              fault(
                at("delivery"),
                '"patch", for a Job',
                "files: Kubernetes lets nobody change the template of a Job that exists",
                "remove it, and use the files where the Job is made",
              ),
            ]
          : []),
      ];
    },
  );
  return [...own, ...madeUserFaults(context)];
}

/**
 * Faults of users that Vault makes for jobs and that end before the longest run: nobody renews the user of an agent that
 * has ended.
 */
const madeUserFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (_, __, secrets) =>
    secrets.flatMap((secret) => {
      if (secret.store !== "vault" || secret.kind !== "postgresql-user" || secret.settings.login === "static")
        return [];
      const { ttl } = secret.settings;
      return secret.consumers.flatMap(({ workload }) => {
        const longestRun = context.parsed.workloads.get(workload)?.longestRun;
        if (longestRun === undefined || longestRun.seconds <= ttl.seconds) return [];
        return [
          fault(
            ["secrets", secret.key, "settings", "ttl"],
            `${formatDuration(ttl)}, for ${workload}, whose runs take up to ${formatDuration(longestRun)}`,
            "at least the longest run of each job that reads it: nobody renews its user",
            `lengthen it, or shorten workloads.${workload}.longestRun`,
          ),
        ];
      });
    }),
  );
