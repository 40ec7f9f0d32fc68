import { draft } from "../model/sample";
import { cli, MODEL, withModule } from "./run-cli";

/** The command line on the sample with two grants that end. */
const asked = (...args: readonly string[]) => {
  const definition = draft();
  definition.secrets["crypto/webhook"].consumers = ["backend", { workload: "payments", until: "2027-03-31" }];
  return withModule(moduleOf(definition), (file) => cli("--registry", file, ...args));
};

const moduleOf = (definition: object): string =>
  `const { defineRegistry } = require(${JSON.stringify(MODEL)});
exports.registry = defineRegistry(${JSON.stringify(definition)});`;

test("validate warns 30 days ahead, on the last day, and says what has ended", async () => {
  const on = async (day: string) => (await asked("--on", day, "validate")).out;
  expect(await on("2027-02-28")).not.toContain("Grants that end");
  expect(await on("2027-03-01")).toContain(
    "- The grant by which payments reads crypto/webhook ends in 30 days, after 2027-03-31",
  );
  expect(await on("2027-03-30")).toContain("ends tomorrow, after 2027-03-31");
  expect(await on("2027-03-31")).toContain("ends today, after 2027-03-31");
  const ended = await asked("--on", "2027-04-01", "validate");
  expect(ended.code).toBe(0);
  expect(ended.out).toContain("Grants that end in prod:");
  expect(ended.out).toContain("payments reads crypto/webhook ended on 2027-03-31: a synth leaves it out.");
});

test("list and access say until when, and leave out what has ended", async () => {
  expect((await asked("--on", "2027-03-31", "list")).out).toContain("backend,payments until 2027-03-31");
  expect((await asked("--on", "2027-04-01", "list")).out).toContain("(payments: ended on 2027-03-31)");
  const rows = JSON.parse(
    (await asked("--on", "2027-03-31", "access", "--env", "prod", "--format", "json")).out,
  );
  expect(rows.filter(({ until }: { until?: string }) => until !== undefined)).toMatchObject([
    { workload: "payments", secret: "crypto/webhook", until: "2027-03-31" },
  ]);
  const after = await asked("--on", "2027-04-01", "access", "--env", "prod");
  expect(after.out).not.toMatch(/payments .*crypto\/webhook/);
  const why = await asked(
    "--on",
    "2027-04-01",
    "access",
    "why",
    "payments",
    "crypto/webhook",
    "--env",
    "prod",
  );
  expect(why.out).toContain("- its grant of crypto/webhook ended on 2027-03-31");
});

test("a day that is none ends with 2", async () => {
  const { code, err } = await asked("--on", "tomorrow", "validate");
  expect([code, err]).toEqual([2, '--on is "tomorrow". Give a day such as 2026-11-25.\n']);
});

describe("preview", () => {
  const previewed = (before: object, after: object, ...args: readonly string[]) =>
    withModule(moduleOf(before), (base) =>
      withModule(moduleOf(after), (head) => cli("preview", "--base", base, "--head", head, ...args)),
    );
  const withDay = (until?: string) => {
    const definition = draft();
    definition.secrets["crypto/webhook"].consumers = [
      "backend",
      until === undefined ? "payments" : { workload: "payments", until },
    ];
    return definition;
  };

  test("says which grants end, even where nothing else changes", async () => {
    const soon = await onDay("2027-03-20");
    expect(soon).toContain("Nothing changes.");
    expect(soon).toContain("Grants that end");
    expect(soon).toContain("payments reads crypto/webhook ends in 11 days, after 2027-03-31");
    expect(await onDay("2027-04-01")).toContain("ended on 2027-03-31: a synth leaves it out.");
    expect(await onDay("2026-12-01")).not.toContain("Grants that end");
  });

  const onDay = async (day: string) => {
    const definition = withDay("2027-03-31");
    return (await previewed(definition, definition, "--on", day)).out;
  };

  test("a later last day, or none any more, is a weaker protection; an earlier one is not", async () => {
    const failed = async (before?: string, after?: string) =>
      previewed(withDay(before), withDay(after), "--on", "2026-12-01", "--fail-on", "lapsed");
    const later = await failed("2027-03-31", "2027-06-30");
    expect(later.code).toBe(1);
    expect(later.out).toContain("payments reads crypto/webhook until 2027-06-30, not until 2027-03-31.");
    expect((await failed("2027-03-31")).code).toBe(1);
    expect((await failed("2027-06-30", "2027-03-31")).code).toBe(0);
    expect((await failed(undefined, "2027-03-31")).code).toBe(0);
  });

  test("a grant that had ended and gets a new day broadens access", async () => {
    const { code, out } = await previewed(
      withDay("2026-11-30"),
      withDay("2027-06-30"),
      "--on",
      "2026-12-01",
      "--fail-on",
      "broadened",
    );
    expect(code).toBe(1);
    expect(out).toContain("Access is broadened");
  });
});
