import fc from "fast-check";
import { randomText } from "../../../lib/rotation/values/random-text";
import { testRandom } from "../models/rehearsed-secret";

test("property: letters and digits only, of the length that was asked for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (length) => {
      expect(randomText(testRandom, length)).toMatch(new RegExp(`^[A-Za-z0-9]{${length}}$`));
    }),
  );
});

test.each([
  ["62 letters and digits", undefined, 62],
  ["27 characters", "abcdefghijklmnopqrstuvwxyz!", 27],
  ["all of visible ASCII", String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 33 + index)), 94],
])("no character of %s is likelier than another", (_what, alphabet, size) => {
  const counts = new Map<string, number>();
  for (const character of randomText(testRandom, size * 4_000, alphabet)) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  expect(counts.size).toBe(size);
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 4_000) ** 2 / 4_000, 0);
  // Eight standard deviations: passed by chance less than once in a million runs.
  expect(chiSquared).toBeLessThan(size - 1 + 8 * Math.sqrt(2 * (size - 1)));
});
