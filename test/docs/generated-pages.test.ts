import { generatedPages } from "../../scripts/docs/generated-pages";
import { textOf } from "./markdown";

test("pages that are made from the code are as the code is; if not, run npm run docs", async () => {
  for (const [path, text] of await generatedPages()) {
    // Lines, so that a failure shows what changed.
    expect({ path, lines: textOf(path).split("\n") }).toEqual({ path, lines: text.split("\n") });
  }
});

test("each says what it must: commands, codes, kinds, settings, alarms", async () => {
  const made = await generatedPages();
  expect(made.get("docs/reference/cli.md")).toContain("## secrets-registry rotate rollout");
  expect(made.get("docs/reference/cli.md")).toContain("`--emergency`");
  expect(made.get("docs/reference/error-codes.md")).toContain("| `still-presented` | yes |");
  expect(made.get("docs/reference/kinds.md")).toContain("EU subusers have their own host.");
  expect(made.get("docs/reference/registry.md")).toContain("| `tier` | yes | `Tier` |");
  expect(made.get("docs/reference/events-and-alarms.md")).toContain("| `overdue` |");
});
