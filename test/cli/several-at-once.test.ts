import { together } from "../../lib/cli/driver/progress";
import { severalAtOnce } from "../../lib/cli/driver/several-at-once";
import { plainProgress } from "../../lib/cli/render/progress";
import { FakeTerminal } from "./fake-terminal";

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
  );
  expect(begun).toEqual(Array.from({ length: 40 }, (_, index) => index));
  expect(most).toBe(8);
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
  );
  await expect(work).rejects.toThrow("refused");
  expect(ended).toEqual([0, 1, 3, 4, 5, 6, 7]);
});

describe("steps that are done at once", () => {
  const twoSteps = async (progress: Parameters<Parameters<typeof together>[2]>[0]) => {
    await Promise.all(
      ["a", "b"].map((title) =>
        progress.step(title, async (tell) => {
          await soon();
          tell("waits");
          await soon();
        }),
      ),
    );
  };

  test("say whose a line is, in a log", async () => {
    const terminal = new FakeTerminal({});
    await together(plainProgress(terminal), "first values", twoSteps);
    expect(terminal.told.trimEnd().split("\n")).toEqual([
      "a …",
      "b …",
      "  a: waits",
      "  b: waits",
      "a: done",
      "b: done",
    ]);
  });

  test("are one step elsewhere, which says what is under way", async () => {
    const told: string[] = [];
    await together({ step: (_, work) => work((detail) => told.push(detail)) }, "first values", twoSteps);
    expect(told[0]).toBe("0 steps done; a");
    expect(told[1]).toBe("0 steps done; a; b");
    expect(told).toContain("0 steps done; a: waits; b: waits");
    expect(told.at(-1)).toBe("2 steps done");
  });
});
