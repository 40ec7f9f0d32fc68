import { open } from "node:fs/promises";
import { basename } from "node:path";
import { type BlastRadius, blastRadius } from "../../blueprint";
import type { Registry } from "../../model";
import {
  compare,
  type EnvironmentPreview,
  type PlannedChange,
  type Preview,
  type RegistryState,
  readTerraformPlan,
  stateOfOutput,
  stateOfRegistry,
  TerraformPlanFault,
} from "../../preview";
import { type PreviewSide, readSide, type SideFinder } from "../registry/preview-side";
import { UserFault } from "../terminal/user-fault";

/** Questions to which a preview can answer no, as a check. */
export const FAIL_ON = ["broadened", "destroy", "lapsed", "any"] as const;

/** Question to `preview`. */
export interface PreviewQuestion {
  readonly base: string;
  readonly head: string;
  /** `<environment>=<file>`, or a file where the head has one environment. */
  readonly plans: readonly string[];
  /** Time from which next rotations are counted; its day is the one by which grants are held on both sides. */
  readonly now: Date;
}

/** Differences between two registries, two commits or two synthesized outputs. */
export async function preview(question: PreviewQuestion, finder: SideFinder): Promise<Preview> {
  return readSide(question.base, finder, (base) =>
    readSide(question.head, finder, async (head) => {
      if (base.source !== head.source) {
        throw new UserFault(
          `${question.base} is a ${WORDS[base.source]} and ${question.head} is a ${WORDS[head.source]}: compare two of a kind.`,
        );
      }
      const [before, after] = [base, head].map((side) => stateOf(side, question.now)) as [
        RegistryState,
        RegistryState,
      ];
      return compare(before, after, {
        libraryDiffers: libraryDiffers(base, head),
        blastOf: (side, environment, key) =>
          blastOf(side === "base" ? base : head, environment, key, dayOf(question.now)),
        plans: await plansOf(
          question.plans,
          after.environments.map(({ name }) => name),
        ),
      });
    }),
  );
}

const WORDS = { registry: "registry", output: "synthesized output" } as const;

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

const stateOf = (side: PreviewSide, now: Date): RegistryState =>
  side.source === "registry"
    ? stateOfRegistry(side.registry.on(dayOf(now)), now)
    : stateOfOutput(side.stacks);

/** Two sides of which one does not say its library are taken for what they are: two places of one tool. */
const libraryDiffers = (base: PreviewSide, head: PreviewSide): boolean =>
  base.source === "registry" &&
  head.source === "registry" &&
  base.library !== undefined &&
  head.library !== undefined &&
  base.library !== head.library;

function blastOf(side: PreviewSide, environment: string, key: string, day: string): BlastRadius | undefined {
  if (side.source !== "registry") return undefined;
  const registry: Registry = side.registry.on(day);
  return registry.environmentNames.includes(environment) &&
    registry.secretKeys.includes(key) &&
    registry.secretIn(environment, key) !== undefined
    ? blastRadius(registry, environment, key)
    : undefined;
}

/** `true` where a preview has something that `--fail-on` names. */
export function fails({ verdict }: Pick<Preview, "verdict">, on: readonly string[]): boolean {
  const found: Readonly<Record<string, boolean>> = {
    broadened: isBroader(verdict),
    destroy: verdict.destroys,
    lapsed: verdict.lapses,
    any: isBroader(verdict) || verdict.destroys || verdict.lapses,
  };
  return on.some((name) => found[name] === true);
}

/** `true` where access is broader, or where that is not decided: the undecided is not safe. */
const isBroader = ({ access }: Preview["verdict"]): boolean =>
  access === "broadened" || access === "undecided";

async function plansOf(
  named: readonly string[],
  environments: readonly EnvironmentPreview["name"][],
): Promise<ReadonlyMap<string, readonly PlannedChange[]>> {
  const plans = new Map<string, readonly PlannedChange[]>();
  for (const entry of named) {
    const [, given, file = entry] = /^([a-z0-9-]+)=(.+)$/.exec(entry) ?? [];
    const [only] = environments.length === 1 ? environments : [];
    const environment = given ?? only ?? basename(file).replace(/\.json$/, "");
    if (!environments.includes(environment)) {
      throw new UserFault(
        `--plan ${entry}: say of which environment it is, such as --plan prod=plan.json. There are: ${environments.join(", ")}.`,
      );
    }
    plans.set(environment, await planAt(file));
  }
  return plans;
}

/** Longest text that this engine holds is some 512 MB. */
const LARGEST_PLAN = 500 * 1024 * 1024;

async function planAt(file: string): Promise<readonly PlannedChange[]> {
  const handle = await open(file).catch(() => {
    throw new UserFault(`No plan at ${file}.`);
  });
  try {
    const { size } = await handle.stat();
    if (size > LARGEST_PLAN) {
      throw new UserFault(`${file} has ${size} bytes: a plan of more than ${LARGEST_PLAN} is not read.`);
    }
    return readTerraformPlan(await handle.readFile("utf8"));
  } catch (failure) {
    if (failure instanceof TerraformPlanFault) throw new UserFault(`${file} ${failure.message}.`);
    throw failure;
  } finally {
    await handle.close();
  }
}
