import * as z from "zod/mini";
import type {
  ApprovalGateSettings,
  ChangeGateSettings,
  CheckerSettings,
  DispatcherSettings,
  RecorderSettings,
  RestarterSettings,
  WatcherSettings,
} from "../../contracts/function-settings";
import { RESTARTED_KINDS } from "../../model/controller-kinds";
import { KIND_NAMES } from "../../model/kinds";
import { madeAtUse } from "../../model/made-at-use";

const text = z.string().check(z.minLength(1));
const count = z.int().check(z.gte(0));
const common = { registry: text, environment: text, region: text };
const rotation = z.enum(["automatic", "operator-assisted", "manual-dual-publish"]);
const secretKind = z.enum(KIND_NAMES);

/** Schemas of the settings files of the procedure's functions, each made when its function asks for it. */
export const PROCEDURE_SETTINGS = madeAtUse({
  "approval-gate": (): z.ZodMiniType<ApprovalGateSettings> =>
    z.strictObject({
      ...common,
      runsTable: text,
      approvers: z.array(text),
      stsEndpoint: z.optional(z.url()),
    }),
  dispatcher: (): z.ZodMiniType<DispatcherSettings> =>
    z.strictObject({
      ...common,
      runsTable: text,
      changesTable: text,
      publicationsTable: text,
      confirms: z.optional(z.boolean()),
      auditKeyAlias: text,
      stateMachineArn: text,
      changeRequest: z.enum(["required", "none"]),
      callerProof: z.optional(z.enum(["required", "none"])),
      starters: z.optional(z.array(text)),
      stsEndpoint: z.optional(z.url()),
      secrets: z.record(
        z.string(),
        z.strictObject({
          key: text,
          schedule: z.optional(
            z.strictObject({
              everyDays: z.int().check(z.gte(1)),
              phaseDay: count,
              hour: count,
              windowHours: count,
            }),
          ),
          kind: secretKind,
          rotation,
          supplied: z.boolean(),
          publishes: z.boolean(),
          function: text,
          overlapSeconds: count,
          handOverSeconds: z.optional(count),
          publishLeadSeconds: count,
          restart: z.array(text),
          checks: z.array(text),
          approval: z.boolean(),
        }),
      ),
    }),
  "change-gate": (): z.ZodMiniType<ChangeGateSettings> =>
    z.strictObject({
      ...common,
      changesTable: text,
      issuer: z.url({ protocol: /^https$/ }),
      keySet: z.url({ protocol: /^https$/ }),
      claims: z
        .record(text, z.array(text).check(z.minLength(1)))
        .check(z.refine((claims) => Object.keys(claims).length > 0)),
      keys: z.array(text),
    }),
  checker: (): z.ZodMiniType<CheckerSettings> =>
    z.strictObject({
      ...common,
      checks: z.record(
        z.string(),
        z.strictObject({
          workload: text,
          name: text,
          type: z.enum(["health", "synthetic"]),
          url: z.url(),
          status: count,
          contains: z.exactOptional(text),
          reports: z.exactOptional(z.literal("version")),
          timeout: z.object({ seconds: z.int().check(z.positive()) }),
        }),
      ),
    }),
  restarter: (): z.ZodMiniType<RestarterSettings> =>
    z.strictObject({
      ...common,
      clusters: z.array(
        z.strictObject({
          name: text,
          region: text,
          apiServer: z.url({ protocol: /^https$/ }),
          caPem: z.optional(text),
        }),
      ),
      workloads: z.record(
        z.string(),
        z.strictObject({
          clusters: z.optional(z.array(text)),
          namespace: text,
          kind: z.enum(RESTARTED_KINDS),
          name: text,
          further: z.optional(z.array(z.strictObject({ kind: z.enum(RESTARTED_KINDS), name: text }))),
        }),
      ),
    }),
  recorder: (): z.ZodMiniType<RecorderSettings> =>
    z.strictObject({
      ...common,
      runsTable: text,
      changesTable: text,
      recordsBucket: text,
      announces: z.optional(z.boolean()),
      secrets: z.record(z.string(), z.strictObject({ key: text, kind: secretKind })),
    }),
  watcher: (): z.ZodMiniType<WatcherSettings> =>
    z.strictObject({
      ...common,
      publicationsTable: text,
      auditKeyAlias: text,
      remindersTopicArn: text,
      dueAheadSeconds: count,
      stuckAfterSeconds: count,
      secrets: z.record(
        z.string(),
        z.strictObject({ key: text, owner: text, rotation, rotateEverySeconds: z.int().check(z.positive()) }),
      ),
    }),
});
