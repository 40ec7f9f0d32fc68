import { isSameJson } from "../model/is-same-json";
import { type Finding, newlySharedTokens, opensRoleOf, widened } from "../proof";
import { accessDifference } from "./access-difference";
import { monthlyCost } from "./cost";
import { environmentRisks } from "./environment-risks";
import { type PairedSecrets, pairSecrets } from "./pair-secrets";
import type {
  AccessDifference,
  Blast,
  BlastOf,
  ChangedSecret,
  Difference,
  EnvironmentPreview,
  Preview,
  Risk,
  Verdict,
} from "./preview";
import type { EnvironmentState, FunctionState, RegistryState, SecretState } from "./registry-state";
import { secretRisks, whyReplaced } from "./secret-risks";
import type { PlannedChange } from "./terraform-plan";
import { resourceCounts, terraformPlanRisks } from "./terraform-plan-risks";
import { word } from "./word";
import { restartsOf, workAfter } from "./work-after";

/** Options of a comparison, besides its two sides. */
export interface CompareOptions {
  /** Blast radius of a secret. @default none is shown */
  readonly blastOf?: BlastOf;
  /**
   * `true`: the two registries came with different versions of this library, and both are read by this one. What the other version
   * made of its registry is not known then, so no access is proved. Default: `false`.
   */
  readonly libraryDiffers?: boolean;
  /** Changes that Terraform plans, by environment. @default none */
  readonly plans?: ReadonlyMap<string, readonly PlannedChange[]>;
}

/** Differences between two registries, or between two synthesized outputs. */
export function compare(
  base: RegistryState,
  head: RegistryState,
  { blastOf = () => undefined, plans = new Map(), libraryDiffers = false }: CompareOptions = {},
): Preview {
  const names = [
    ...head.environments.map(({ name }) => name),
    ...base.environments.map(({ name }) => name).filter((name) => !has(head, name)),
  ];
  const [policiesBefore, policiesAfter] = [base, head].map((state) =>
    state.environments.map(({ policies }) => policies),
  );
  const shared = newlySharedTokens(policiesBefore ?? [], policiesAfter ?? []);
  const environments = names.map((name) =>
    compareEnvironment(name, find(base, name), find(head, name), blastOf, plans.get(name), shared),
  );
  return {
    schema: 1,
    source: head.source,
    verdict: verdictOf(environments, libraryDiffers),
    ...(libraryDiffers ? { libraryDiffers } : {}),
    environments,
  };
}

const find = ({ environments }: RegistryState, name: string): EnvironmentState | undefined =>
  environments.find((environment) => environment.name === name);
const has = (state: RegistryState, name: string): boolean => find(state, name) !== undefined;

function compareEnvironment(
  name: string,
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
  blastOf: BlastOf,
  plan: readonly PlannedChange[] | undefined,
  shared: readonly Finding[],
): EnvironmentPreview {
  const paired = pairSecrets(base, head);
  const renamed = paired.kept.filter(([before, after]) => before.key !== after.key);
  const access = accessDifference(
    base,
    head,
    new Map(renamed.map(([before, after]) => [before.key, after.key])),
  );
  const changed = [...paired.kept, ...paired.replaced]
    .map(([before, after]) => changedSecret(before, after))
    .filter(({ differences }) => differences.length > 0)
    .sort((a, b) => (a.secret < b.secret ? -1 : 1));
  const settings = base && head ? differences(base.facts, head.facts) : [];
  const resources = resourceCounts(base, head, plan);
  const risks = [
    ...secretRisks(paired),
    ...environmentRisks(base, head, access),
    ...terraformPlanRisks(base, head, plan, paired),
  ];
  const proof = [
    ...(base && head ? widened(base.policies, head.policies) : []),
    ...shared.filter((finding) => head && opensRoleOf(finding, head.policies)),
  ];
  const functions = functionChanges(base?.functions ?? [], head?.functions ?? []);
  const people = workAfter(base, head, paired, access);
  const isChanged =
    changed.length + renamed.length + paired.added.length + paired.destroyed.length + paired.replaced.length >
      0 ||
    settings.length + risks.length + people.length + proof.length > 0 ||
    Object.values(access).some((list) => list.length > 0) ||
    functions.added + functions.removed + functions.newCode > 0 ||
    (resources !== undefined &&
      resources.added + resources.changed + resources.replaced + resources.destroyed > 0);
  return {
    name,
    state:
      base === undefined ? "added" : head === undefined ? "removed" : isChanged ? "changed" : "unchanged",
    verdict: judge(base, access, paired, risks, proof),
    added: paired.added.map(({ key, store, kind, consumers, regions }) => ({
      secret: key,
      store,
      ...(kind === undefined ? {} : { kind }),
      consumers,
      regions,
    })),
    changed,
    renamed: renamed.map(([before, after]) => ({ from: before.key, to: after.key })),
    replaced: paired.replaced.map(([before, after]) => ({
      secret: after.key,
      why: whyReplaced(before, after),
    })),
    destroyed: paired.destroyed.map(({ key }) => ({ secret: key })),
    settings,
    access,
    proof,
    risks,
    endings: head?.endings ?? [],
    people,
    restarts: restartsOf(base, head),
    rotations: paired.kept.flatMap(([before, after]) => rotationMoves(before, after)),
    blast: blastsOf(name, paired, changed, blastOf),
    functions,
    cost: { before: monthlyCost(base?.cost ?? FREE), after: monthlyCost(head?.cost ?? FREE) },
    ...(resources ? { resources } : {}),
  };
}

const FREE = { secrets: 0, keys: 0, alarms: 0, runs: 0, calls: 0 };

/** Facts of which both sides know. What only one knows was not in the other's source. */
function differences(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly Difference[] {
  return Object.entries(before).flatMap(([what, was]) => {
    const is = after[what];
    return is === undefined || is === was ? [] : [{ what, before: was, after: is }];
  });
}

/** A text that is not shown, or one that is too long to be. */
const HIDDEN = { before: "as before", after: "changed" };

function changedSecret(before: SecretState, after: SecretState): ChangedSecret {
  const targets = targetDifferences(before.target, after.target);
  const list = (what: string, was: readonly string[], is: readonly string[]): readonly Difference[] =>
    was.join() === is.join()
      ? []
      : [{ what, before: was.join(", ") || "none", after: is.join(", ") || "none" }];
  const hidden = Object.keys(before.hidden).filter(
    (what) => after.hidden[what] !== undefined && !isSameJson(after.hidden[what], before.hidden[what]),
  );
  return {
    secret: after.key,
    differences: [
      ...differences(before.facts, after.facts),
      ...list("regions", before.regions, after.regions),
      ...list("consumers", before.consumers, after.consumers),
      ...list("last days", lastDaysOf(before), lastDaysOf(after)),
      ...targets,
      ...hidden
        .filter((what) => what !== "settings" || targets.length === 0)
        .map((what) => ({ what, ...HIDDEN })),
    ],
  };
}

const lastDaysOf = ({ lastDays = {} }: SecretState): readonly string[] =>
  Object.entries(lastDays).map(([workload, day]) => `${workload} ${day}`);

function targetDifferences(
  before: Readonly<Record<string, string>> | undefined,
  after: Readonly<Record<string, string>> | undefined,
): readonly Difference[] {
  if (before === undefined || after === undefined) return [];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter((what) => before[what] !== after[what])
    .map((what) => ({
      what: `setting ${what}`,
      before: before[what] ?? "none",
      after: after[what] ?? "none",
    }));
}

function rotationMoves(before: SecretState, after: SecretState): readonly string[] {
  const [was, is] = [before.nextRotation, after.nextRotation];
  if (was === is || (is === undefined && before.facts.mode === after.facts.mode)) return [];
  if (is === undefined) return [`${word(after.key)} has no next rotation by itself; it had one on ${was}.`];
  const moved = was === undefined ? "for the first time by itself" : `and not on ${was}`;
  const soon =
    was !== undefined &&
    after.cadenceSeconds !== undefined &&
    before.cadenceSeconds !== undefined &&
    after.cadenceSeconds < before.cadenceSeconds
      ? `; at once, in its next window, if its value is older than ${Math.floor(after.cadenceSeconds / 86_400)} days`
      : "";
  return [`${word(after.key)} rotates on ${is}, ${moved}${soon}.`];
}

function functionChanges(
  before: readonly FunctionState[],
  after: readonly FunctionState[],
): EnvironmentPreview["functions"] {
  const known = new Map(before.map(({ name, code }) => [name, code]));
  const kept = after.filter(({ name }) => known.has(name));
  return {
    added: after.length - kept.length,
    removed: before.length - kept.length,
    newCode: kept.filter(({ name, code }) => !isSameJson(known.get(name), code)).length,
  };
}

function blastsOf(
  environment: string,
  { replaced, destroyed }: PairedSecrets,
  changed: readonly ChangedSecret[],
  blastOf: BlastOf,
): readonly Blast[] {
  const heads = new Set([...changed.map(({ secret }) => secret), ...replaced.map(([, { key }]) => key)]);
  return [
    ...[...heads].map((key) => [key, blastOf("head", environment, key)] as const),
    ...destroyed.map(({ key }) => [key, blastOf("base", environment, key)] as const),
  ].flatMap(([secret, radius]) =>
    radius === undefined
      ? []
      : [
          {
            secret,
            consumers: radius.consumers.map(({ workload }) => workload),
            dependents: radius.dependents.map((dependent) => dependent.secret),
            unwatched: radius.unwatched,
            breaks: radius.breaks,
            rollback: radius.rollback,
          },
        ],
  );
}

/**
 * Gains count where there was something to gain: on a secret, a role or an environment that the base has. What comes with a new one is
 * listed, and no broadening.
 */
function judge(
  base: EnvironmentState | undefined,
  { gained, lost, takersGained, takersLost, peopleGained, peopleLost }: AccessDifference,
  { added }: PairedSecrets,
  risks: readonly Risk[],
  proof: readonly Finding[],
): Omit<Verdict, "text"> {
  const fresh = new Set(added.map(({ key, store }) => `${store} ${key}`));
  const known = new Set((base?.takers ?? []).map(({ name }) => name));
  const isBroadened =
    proof.some((finding) => finding.is === "possible") ||
    (base !== undefined &&
      (gained.some(({ secret, store }) => !fresh.has(`${store} ${secret}`)) ||
        takersGained.some(({ name }) => known.has(name)) ||
        peopleGained.length > 0));
  const isNarrowed = lost.length + takersLost.length + peopleLost.length > 0;
  return {
    access: isBroadened
      ? "broadened"
      : proof.length > 0
        ? "undecided"
        : isNarrowed
          ? "narrowed"
          : "unchanged",
    destroys: risks.some(({ effect }) => effect === "destroys"),
    lapses: risks.some(({ effect }) => effect === "lapses"),
  };
}

const LIBRARY_DIFFERS =
  "The library itself is another one too, and both sides are read by the present one: what it makes of the same registry, and whether that broadens access, only a preview of two synthesized outputs shows.";

function verdictOf(environments: readonly EnvironmentPreview[], libraryDiffers: boolean): Verdict {
  const verdicts = environments.map(({ verdict }) => verdict);
  const found =
    (["broadened", "undecided", "narrowed"] as const).find((worst) =>
      verdicts.some((verdict) => verdict.access === worst),
    ) ?? "unchanged";
  const access = libraryDiffers && found !== "broadened" ? "undecided" : found;
  const destroys = verdicts.some((verdict) => verdict.destroys);
  const lapses = verdicts.some((verdict) => verdict.lapses);
  const where = (chosen: (verdict: Omit<Verdict, "text">) => boolean): string =>
    environments
      .filter(({ verdict }) => chosen(verdict))
      .map(({ name }) => word(name))
      .join(", ");
  const changed = environments.some(({ state }) => state !== "unchanged");
  const parts = [
    ...(found === "broadened" ? [`Access is broadened in ${where((v) => v.access === "broadened")}.`] : []),
    ...(found === "undecided"
      ? [`Whether access is broadened in ${where((v) => v.access === "undecided")} is not decided.`]
      : []),
    ...(found === "narrowed"
      ? [`Access is narrowed in ${where((v) => v.access === "narrowed")}, and nowhere broadened.`]
      : []),
    ...(found === "unchanged" && changed ? ["Nobody gains or loses access to what is there already."] : []),
    ...(destroys ? [`Something is lost for good or made anew in ${where((v) => v.destroys)}.`] : []),
    ...(lapses ? [`A protection is weaker in ${where((v) => v.lapses)}.`] : []),
  ];
  const text = changed ? parts.join(" ") : "Nothing changes.";
  return { access, destroys, lapses, text: libraryDiffers ? `${text} ${LIBRARY_DIFFERS}` : text };
}
