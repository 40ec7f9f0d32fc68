import type { WorkloadPlan } from "../../blueprint";
import { formatDuration } from "../../model";
import type { Terminal } from "../terminal/terminal";
import { UserFault } from "../terminal/user-fault";
import type { FoundSecret } from "./find-secret";

/** Options of an emergency. */
export interface EmergencyOptions {
  /** `true`: nobody is asked whether it is meant. @default false */
  readonly yes?: boolean | undefined;
}

/**
 * Says who fails when a leaked credential ends without waiting, and asks whether that is meant.
 *
 * @throws UserFault when it is not, or when nobody is there to be asked
 */
export async function confirmEmergency(
  found: FoundSecret,
  { yes = false }: EmergencyOptions,
  terminal: Terminal,
): Promise<void> {
  const { secret, plan } = found;
  terminal.err(`${emergencyNotice(found)}\n`);
  if (yes) return;
  if (!terminal.interactive) {
    throw new UserFault(
      `Nobody is here to say whether that is meant, and nothing was changed. Add --yes to rotate ${secret.key} in ${plan.environment} at once.`,
    );
  }
  const typed = await terminal.ask(`Type ${secret.key} to go on: `, { hidden: false });
  if (typed.trim() !== secret.key) throw new UserFault("Not confirmed: nothing was changed.");
}

/** Notice of what ends at once, which workloads fail meanwhile, and until when. */
export function emergencyNotice({ secret, plan }: FoundSecret): string {
  const readers = plan.workloads.filter(({ name }) => secret.consumers.includes(name));
  return [
    `Emergency: ${secret.key} in ${plan.environment} is rotated without waiting, and ${ENDS[secret.acceptedBy]}.`,
    ...(readers.length === 0
      ? ["No workload reads it."]
      : [
          "These workloads read it, and fail meanwhile:",
          ...readers.map((reader) => `  ${reader.name}: ${until(reader, formatDuration(plan.refreshEvery))}`),
        ]),
    ...(secret.kind === "s3-access-key" ? [SESSIONS] : []),
    ...(secret.rotation === "operator-assisted"
      ? ["What only you can end at its vendor stays alive until you do: the run asks for that."]
      : []),
  ].join("\n");
}

const ENDS: Readonly<Record<FoundSecret["secret"]["acceptedBy"], string>> = {
  target: "the old credential ends as soon as the new one is proved",
  "own-workloads":
    "every key of its value is replaced: what was signed before is refused, and holders of the two values refuse each other",
  "single-slot": "the old credential ends as soon as the new one is set",
};

const SESSIONS =
  "Sessions that STS gave for the leaked key live on for up to 36 hours. docs/adr/0020-iam-access-keys.md has the command that ends them.";

const until = ({ reload, namespace }: WorkloadPlan, refreshEvery: string): string =>
  reload.how === "redeploy"
    ? "it is restarted before the old credential ends; where restarts fail, until somebody restarts it"
    : reload.how === "next-run"
      ? `until the runs that have started end; sooner: delete its pods in namespace ${namespace}`
      : `until its pods refresh, which they do every ${refreshEvery}; sooner: restart its pods in namespace ${namespace}`;
