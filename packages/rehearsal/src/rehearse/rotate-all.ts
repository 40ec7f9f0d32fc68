import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";
import type { AwsSecretPlan } from "../../../../lib/blueprint";
import { type RotatePhase, type RotationReport, rotate } from "../../../../lib/cli";
import type { Registry } from "../../../../lib/model";
import { splitSettings } from "../../../../lib/rotation/protocol/settings-in-effect";
import { secretsManager } from "../load";
import type { RehearsedWorld } from "../world";
import { rehearsalHost } from "./rehearsal-host";

/** Rotation of one secret, and the value that was current before. */
export interface Rotated {
  readonly how: "automatic" | "published and promoted";
  /** The value before, to be tried when it should be dead. */
  readonly before: unknown;
}

/** Longest wait for an overlap: the longest of the registry's, an hour being half a second, and some time for the machine. */
const PATIENCE_MS = 120_000;

/**
 * Rotates every secret that is not the operator's to supply once more, and decommissions what was before: by the
 * command line's own verbs, with the functions that enforce the waits.
 *
 * @param fail called for a rotation that ends in another way; the others go on
 */
export async function rotateAll(
  registry: Registry,
  world: RehearsedWorld,
  report: (line: string) => void,
  fail: (key: string, seen: string) => void,
): Promise<ReadonlyMap<string, Rotated>> {
  const rotated = new Map<string, Rotated>();
  const secrets = world.plan.secrets.filter(
    (secret): secret is AwsSecretPlan => secret.store === "aws" && secret.rotation !== "operator-assisted",
  );
  // All at once: the functions' waits overlap.
  await Promise.all(
    secrets.map(async (secret) => {
      try {
        const before = await currentValue(world, secret);
        for (const phase of phasesOf(secret)) {
          await patiently(registry, world, secret, phase);
          report(`${secret.key}: ${phase ?? "rotated"}`);
        }
        const how = secret.rotation === "automatic" ? "automatic" : "published and promoted";
        rotated.set(secret.key, { how, before });
      } catch (failure) {
        fail(secret.key, failure instanceof Error ? failure.message : String(failure));
      }
    }),
  );
  return rotated;
}

/** The whole way of a rotation; the first step of an automatic one has no name. */
const phasesOf = ({ rotation }: AwsSecretPlan): readonly (RotatePhase | undefined)[] =>
  rotation === "automatic" ? [undefined, "decommission"] : ["publish", "promote", "decommission"];

/** Takes a step as soon as the waits let it. */
async function patiently(
  registry: Registry,
  world: RehearsedWorld,
  secret: AwsSecretPlan,
  phase: RotatePhase | undefined,
): Promise<RotationReport> {
  const silent = { step: <T>(_: string, work: (report: () => void) => Promise<T>) => work(() => undefined) };
  const host = rehearsalHost(world, silent);
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(500)) {
    const report = await rotate(
      registry,
      secret.key,
      { environment: world.plan.environment, emergency: false, ...(phase ? { phase } : {}) },
      host,
    );
    if (report.outcome !== "too-early" && report.outcome !== "failed") return report;
    if (report.outcome === "failed" || Date.now() > until) {
      throw new Error(
        `${secret.key}: ${phase ?? "rotation"} ended with ${report.fault?.message ?? report.outcome}`,
      );
    }
  }
}

/**
 * AWSCURRENT's value, to be tried at its target, without the settings that made it; `undefined`: there is none. Read as root, because no person may.
 */
export async function currentValue(
  { as, plan }: Pick<RehearsedWorld, "as" | "plan">,
  { name }: Pick<AwsSecretPlan, "name">,
): Promise<unknown> {
  try {
    const { SecretString } = await secretsManager(as.root, plan.regions.primary).send(
      new GetSecretValueCommand({ SecretId: name }),
    );
    return SecretString === undefined ? undefined : splitSettings(JSON.parse(SecretString)).value;
  } catch (failure) {
    if (failure instanceof ResourceNotFoundException) return undefined;
    throw failure;
  }
}
