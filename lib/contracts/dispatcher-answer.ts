import * as z from "zod/mini";
import { FINAL_STATUSES, OPEN_STATUSES, RUN_KINDS, type Run } from "./run";

/** A run as the dispatcher shows it to people. */
export interface RunView extends Omit<Run, "startedAt" | "endedAt" | "decision" | "emergency"> {
  readonly startedAt: string;
  readonly endedAt?: string | undefined;
  /** A leaked credential. Default: false. */
  readonly emergency?: boolean | undefined;
  /** Written by the approval gate alone, once. */
  readonly decision?:
    | { readonly answer: "approved" | "rejected"; readonly by: string; readonly at: string }
    | undefined;
  /** Name of the execution that follows it. */
  readonly execution: string;
  /** A version that was AWSPENDING without a run when this one began: it became this run's own, or was given up. */
  readonly leftover?: { readonly version: string; readonly became: "adopted" | "cleared" } | undefined;
}

/** A run as people are shown it, without what only the dispatcher knows. */
export const viewedRun = ({
  startedAt,
  endedAt,
  decision,
  ...run
}: Run): Omit<RunView, "execution" | "leftover"> => ({
  ...run,
  startedAt: startedAt.toISOString(),
  ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
  ...(decision === undefined ? {} : { decision: { ...decision, at: decision.at.toISOString() } }),
});

const runView: z.ZodMiniType<RunView> = z.object({
  secret: z.string(),
  run: z.string(),
  kind: z.enum(RUN_KINDS),
  status: z.enum([...OPEN_STATUSES, ...FINAL_STATUSES]),
  direction: z.enum(["forward", "back"]),
  newVersion: z.string(),
  oldVersion: z.optional(z.string()),
  startedAt: z.string(),
  startedBy: z.string(),
  startedByIs: z.optional(z.literal("proven")),
  change: z.optional(z.object({ id: z.string(), digest: z.string(), requester: z.optional(z.string()) })),
  emergency: z.optional(z.boolean()),
  endedAt: z.optional(z.string()),
  decision: z.optional(
    z.object({ answer: z.enum(["approved", "rejected"]), by: z.string(), at: z.string() }),
  ),
  execution: z.string(),
  leftover: z.optional(z.object({ version: z.string(), became: z.enum(["adopted", "cleared"]) })),
});

/** Answer to a call that began a run, went on with one or took one back. */
export interface RunAnswer {
  readonly result: "under-way";
  readonly run: RunView;
}

/** Run-time schema of {@link RunAnswer}. */
export const runAnswer: z.ZodMiniType<RunAnswer> = z.object({ result: z.literal("under-way"), run: runView });

/** A secret's runs. */
export interface SecretRuns {
  readonly open?: RunView | undefined;
  /** The latest first. */
  readonly latest: readonly RunView[];
  /**
   * `true` when the current value holds a published key that nobody uses yet; `undefined` where none is published beside
   * what people supply.
   */
  readonly published?: boolean | undefined;
  /** The version under AWSCURRENT, when nothing proves that it has passed its test. */
  readonly unproven?: string | undefined;
}

/** Answer to a call for a secret's runs. */
export interface StatusAnswer extends SecretRuns {
  readonly result: "status";
}

/** Run-time schema of {@link StatusAnswer}. */
export const statusAnswer: z.ZodMiniType<StatusAnswer> = z.object({
  result: z.literal("status"),
  open: z.optional(runView),
  latest: z.array(runView),
  published: z.optional(z.boolean()),
  unproven: z.optional(z.string()),
});
