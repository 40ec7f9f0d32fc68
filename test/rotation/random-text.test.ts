import fc from "fast-check";
import { randomText } from "../../lib/rotation/random-text";
import { testRandom } from "./models/rehearsed-secret";

test("property: letters and digits only, of the length that was asked for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (length) => {
      expect(randomText(testRandom, length)).toMatch(new RegExp(`^[A-Za-z0-9]{${length}}$`));
    }),
  );
});

test("no character is likelier than another", () => {
  const counts = new Map<string, number>();
  for (const character of randomText(testRandom, 62_000))
    counts.set(character, (counts.get(character) ?? 0) + 1);
  expect(counts.size).toBe(62);
  // Chi-squared with 61 degrees of freedom: 130 is passed by chance once in a million runs.
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
  expect(chiSquared).toBeLessThan(130);
});
