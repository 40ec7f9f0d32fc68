import { severalAtOnce } from "../../../lib/rotation/protocol/several-at-once";

const soon = () => new Promise(setImmediate);

test("eight items are under work at a time, in their order", async () => {
  const begun: number[] = [];
  let [now, most] = [0, 0];
  await severalAtOnce(
    Array.from({ length: 40 }, (_, index) => index),
    async (item) => {
      begun.push(item);
      now += 1;
      most = Math.max(most, now);
      for (let turn = 0; turn < 1 + (item % 3); turn += 1) await soon();
      now -= 1;
    },
    "stop",
  );
  expect(begun).toEqual(Array.from({ length: 40 }, (_, index) => index));
  expect(most).toBe(8);
});

test("results are in the order of the items, whoever ends first", async () => {
  const results = await severalAtOnce(
    [3, 1, 2],
    async (item) => {
      for (let turn = 0; turn < item; turn += 1) await soon();
      return `done ${item}`;
    },
    "stop",
  );
  expect(results).toEqual(["done 3", "done 1", "done 2"]);
});

test("after a failure those under way come to their end, and no other begins", async () => {
  const ended: number[] = [];
  const work = severalAtOnce(
    Array.from({ length: 40 }, (_, index) => index),
    async (item) => {
      if (item === 2) throw new Error("refused");
      for (let turn = 0; turn < 5; turn += 1) await soon();
      ended.push(item);
    },
    "stop",
  );
  await expect(work).rejects.toThrow("refused");
  expect(ended).toEqual([0, 1, 3, 4, 5, 6, 7]);
});
