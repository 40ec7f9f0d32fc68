/** One thing wrong in a registry: where, what was found, what is allowed, what to change. */
export interface Fault {
  /** Path into the definition, as one would write it: `secrets["redis/app"].rotateEvery`. */
  readonly path: string;
  /** The text or value that stands there. Never a value that looks like a credential. */
  readonly found: string;
  /** The values that may stand there. */
  readonly allowed: string;
  /** The author's next step. */
  readonly change: string;
}

/** One step of a path: a property name or an array index. */
export type PathStep = string | number;

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** `["secrets", "db/app", "consumers", 0]` becomes `secrets["db/app"].consumers[0]`. */
function formatPath(steps: readonly PathStep[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === "number") return `${path}[${step}]`;
    if (!IDENTIFIER.test(step)) return `${path}[${JSON.stringify(step)}]`;
    return path === "" ? step : `${path}.${step}`;
  }, "");
}

/** A fault at a path. */
export function fault(path: readonly PathStep[], found: string, allowed: string, change: string): Fault {
  return { path: formatPath(path), found, allowed, change };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One fault as the lines a person reads. */
export function formatFault(entry: Fault): string {
  return `${entry.path}\n  found:   ${entry.found}\n  allowed: ${entry.allowed}\n  change:  ${entry.change}`;
}

/**
 * Everything that is wrong with a registry, at once, sorted by place.
 * The only error that {@link defineRegistry} throws.
 */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  /** All faults, sorted by path, then by what was found. */
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    const sorted = [...faults].sort(
      (a, b) =>
        compareText(a.path, b.path) || compareText(a.found, b.found) || compareText(a.change, b.change),
    );
    const heading = `The registry has ${sorted.length} fault${sorted.length === 1 ? "" : "s"}:`;
    super([heading, ...sorted.map(formatFault)].join("\n\n"));
    this.faults = sorted;
  }
}
