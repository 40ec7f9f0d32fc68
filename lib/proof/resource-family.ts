import { type Pattern, parsePattern } from "./pattern";
import { ANY, both, isNone, matching, others, type Texts } from "./texts";

/**
 * Resources that are asked about together: an ARN in which `?` is a character that AWS chooses and `*` is any text, such as a secret
 * with its suffix.
 */
export interface ResourceFamily {
  readonly pattern: string;
}

/** Character in the place of each one that AWS chooses; no pattern has it. */
const HOLE = "\u{e001}";

/**
 * Resources of a family that a statement has; `undefined`: none. What it has as a whole is {@link ANY}, so that only patterns that
 * split the family go to the automata.
 */
export function statementResources(
  { Resource, NotResource }: Readonly<Record<string, unknown>>,
  family: ResourceFamily,
  asUnknown: (what: string, value: unknown) => void,
): Texts | undefined {
  const named = Resource ?? NotResource;
  if (named === undefined) return ANY;
  const patterns = [named].flat().map(String);
  const [known, variable] = [
    patterns.filter((pattern) => !pattern.includes("${")),
    patterns.filter((pattern) => pattern.includes("${")),
  ];
  const relations = known.map((pattern) => [pattern, relationOf(pattern, family)] as const);
  const whole = relations.some(([, relation]) => relation === "all");
  // A policy variable: which resources it means depends on the caller.
  if (variable.length > 0 && !whole) asUnknown("Resource", patterns);
  const parts = relations.filter(([, relation]) => relation === "some").map(([pattern]) => pattern);
  const open = variable.length > 0 && !whole;
  if (Resource !== undefined) {
    if (whole || open) return ANY;
    return parts.length === 0 ? undefined : matching(parts);
  }
  if (whole) return undefined;
  return parts.length === 0 || open ? ANY : others(matching(parts))[0];
}

type Relation = "all" | "some" | "none";

const parsed = new Map<string, { readonly exact: Pattern; readonly loose: RegExp }>();

function patternOf(text: string): { readonly exact: Pattern; readonly loose: RegExp } {
  const known = parsed.get(text);
  if (known) return known;
  const exact = parsePattern(text, "text");
  const loose = new RegExp(
    `^${exact.steps
      .map((step) =>
        step.is === "character"
          ? `[${step.character.replace(/[\\\]^-]/g, "\\$&")}${HOLE}]`
          : step.is === "many"
            ? "[^]*"
            : "[^]",
      )
      .join("")}$`,
    "u",
  );
  const made = { exact, loose };
  if (parsed.size > 50_000) parsed.clear();
  parsed.set(text, made);
  return made;
}

/** Share of a family that a pattern matches. */
function relationOf(text: string, { pattern: family }: ResourceFamily): Relation {
  if (text === "*" || text === family) return "all";
  if (!family.includes("*")) {
    const holes = family.replaceAll("?", HOLE);
    const { exact, loose } = patternOf(text);
    // A hole that no literal has to fill may be filled with anything.
    if (exact.expression.test(holes)) return "all";
    return loose.test(holes) ? "some" : "none";
  }
  const all = matching([family]);
  const pattern = matching([text]);
  if (isNone(both(all, pattern))) return "none";
  return others(pattern).every((rest) => isNone(both(all, rest))) ? "all" : "some";
}
