import type { Pattern, PatternStep } from "./pattern";

/** Places in the patterns of a group at which a text can be after some characters. */
type Places = ReadonlyMap<Pattern, ReadonlySet<number>>;

/** Number of states after which the search gives up: a policy that needs more is none that people write. */
const MOST_STATES = 200_000;

/** A set of texts that is too large to be searched. */
export class SearchLimitError extends Error {
  override readonly name = "SearchLimitError";
}

/**
 * Shortest text, of one character at least, that matches a pattern of each group of `like` and none of `unlike`: a walk through the
 * product of the patterns' automata, breadth first, made as it goes. `undefined`: there is none, which is a proof.
 *
 * @throws SearchLimitError
 */
export function shortestText(
  like: readonly (readonly Pattern[])[],
  unlike: readonly (readonly Pattern[])[],
): string | undefined {
  const groups = [...like, ...unlike];
  const fresh = freshCharacter(groups.flat());
  const first = groups.map((patterns): Places => new Map(patterns.map((one) => [one, closure(one, [0])])));
  let border: (readonly [string, readonly Places[]])[] = [["", first]];
  const seen = new Set<string>();
  while (border.length > 0) {
    const next: (readonly [string, readonly Places[]])[] = [];
    for (const [text, states] of border) {
      for (const character of nextCharacters(states, fresh)) {
        const moved = states.map((places) => step(places, character));
        if (moved.slice(0, like.length).some((places) => places.size === 0)) continue;
        const longer = text + character;
        if (moved.every((places, index) => accepts(places) === index < like.length)) return longer;
        const id = moved.map(idOf).join("/");
        if (seen.has(id)) continue;
        seen.add(id);
        if (seen.size > MOST_STATES) throw new SearchLimitError(`more than ${MOST_STATES} states`);
        next.push([longer, moved]);
      }
    }
    border = next;
  }
  return undefined;
}

/** Places that are reached without a character: `*` may match none. */
function closure(pattern: Pattern, places: Iterable<number>): ReadonlySet<number> {
  const reached = new Set<number>();
  for (let place of places) {
    reached.add(place);
    while (pattern.steps[place]?.is === "many") {
      place += 1;
      reached.add(place);
    }
  }
  return reached;
}

function step(places: Places, character: string): Places {
  const moved = new Map<Pattern, ReadonlySet<number>>();
  for (const [pattern, at] of places) {
    const next: number[] = [];
    for (const place of at) {
      const here = pattern.steps[place];
      if (here !== undefined && takes(here, character)) next.push(here.is === "many" ? place : place + 1);
    }
    if (next.length > 0) moved.set(pattern, closure(pattern, next));
  }
  return moved;
}

const takes = (step: PatternStep, character: string): boolean =>
  step.is === "character" ? step.character === character : step.colon || character !== ":";

const accepts = (places: Places): boolean =>
  [...places].some(([pattern, at]) => at.has(pattern.steps.length));

/** Characters by which the states part: those that a pattern has next, a colon, and one that is in no pattern. */
function nextCharacters(states: readonly Places[], fresh: string): ReadonlySet<string> {
  const found = new Set<string>([fresh]);
  for (const places of states) {
    for (const [pattern, at] of places) {
      for (const place of at) {
        const here = pattern.steps[place];
        if (here?.is === "character") found.add(here.character);
        else if (here !== undefined && !here.colon) found.add(":");
      }
    }
  }
  return found;
}

/** A character that no pattern has, a letter where there is one. */
function freshCharacter(patterns: readonly Pattern[]): string {
  const used = new Set(
    patterns.flatMap(({ steps }) => steps.flatMap((one) => (one.is === "character" ? [one.character] : []))),
  );
  return [..."xyzwqkjvXYZQ7"].find((letter) => !used.has(letter)) ?? "\u{e000}";
}

const ids = new WeakMap<Pattern, number>();
let lastId = 0;

function idOf(places: Places): string {
  return [...places]
    .map(([pattern, at]) => {
      const id = ids.get(pattern) ?? ++lastId;
      ids.set(pattern, id);
      return `${id}:${[...at].sort((a, b) => a - b).join()}`;
    })
    .sort()
    .join(";");
}
