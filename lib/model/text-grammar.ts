import * as z from "zod/mini";

/** Words of a form for people. */
interface Advice {
  readonly allowed: string;
  readonly change: string;
}

/** Form of a text, with what is allowed and what to change. */
// @__NO_SIDE_EFFECTS__
export function form(test: (value: string) => boolean, advice: Advice): z.ZodMiniType<string, string> {
  return z.string().check(z.refine(test, { params: advice, message: advice.allowed }));
}

/** Test of a text by a pattern. */
// @__NO_SIDE_EFFECTS__
export function matches(pattern: RegExp): (value: string) => boolean {
  return (value) => pattern.test(value);
}
