import { together } from "../../lib/cli/driver/progress";
import { plainProgress } from "../../lib/cli/render/progress";
import { FakeTerminal } from "./fake-terminal";

const soon = () => new Promise(setImmediate);

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
