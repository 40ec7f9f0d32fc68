import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { commandTree } from "../../scripts/docs/command-tree";
import { cli } from "../cli/run-cli";
import { blocksOf, pages, ROOT, textOf } from "./markdown";

/** One command of a page: `secrets-registry` words, or the name and arguments of a script of `package.json`. */
interface Written {
  readonly page: string;
  /** Marked as needing a cloud, `sh cloud`, Terraform and its registry of providers, `sh terraform`, or people who type, `sh people`. */
  readonly needsCloud: boolean;
  readonly line: string;
  /** `rehearsal`: `npm start`, which is `secrets-registry rehearse` after the bundles. */
  readonly program: "secrets-registry" | "npm" | "rehearsal";
  readonly words: readonly string[];
}

/** Words as a shell splits them, for what pages hold: plain words and double quotes. */
const commandWords = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

/** Commands of one line; a pipe or `&&` begins the next one, a redirection ends it. */
function commandsIn(line: string): readonly Pick<Written, "program" | "words">[] {
  return line.split(/\s+(?:\||&&)\s+/).flatMap((part): readonly Pick<Written, "program" | "words">[] => {
    const words = commandWords(part.replace(/\s+[<>].*$/, ""));
    const [first, second, third] = words;
    if (first === "secrets-registry") return [{ program: "secrets-registry", words: words.slice(1) }];
    if (first === "npx" && second === "secrets-registry") {
      return [{ program: "secrets-registry", words: words.slice(2) }];
    }
    if (first !== "npm") return [];
    if (second === "start") return [{ program: "rehearsal", words: ["rehearse", ...words.slice(3)] }];
    if (second === "run" && third === "secrets-registry") {
      return [{ program: "secrets-registry", words: words.slice(words.indexOf("--") + 1) }];
    }
    return second === "run"
      ? [{ program: "npm", words: words.slice(2) }]
      : [{ program: "npm", words: words.slice(1) }];
  });
}

const written: readonly Written[] = pages()
  .filter((path) => !path.startsWith("docs/adr/"))
  .flatMap((page) =>
    blocksOf(textOf(page))
      .filter(({ info }) => /^(sh|text)\b/.test(info))
      .flatMap(({ info, text }) =>
        text
          .replaceAll("\\\n", " ")
          .split("\n")
          .map((line) => line.trim())
          .filter((line) => !line.startsWith("#"))
          .flatMap((line) =>
            // Help texts quote options in prose; their examples begin with the program.
            info === "text" && !/^(secrets-registry|vault-of-yours) /.test(line)
              ? []
              : commandsIn(line).map((command) => ({
                  page,
                  needsCloud: info !== "sh",
                  line,
                  ...command,
                })),
          ),
      ),
  );

const named = (commands: readonly Written[]): [string, Written][] => [
  ...new Map(commands.map((command) => [`${command.page}: ${command.line}`, command])),
];

let program: Command;
beforeAll(async () => {
  program = await commandTree();
});

/** The command that words name, and the words behind it. */
function resolve(words: readonly string[]): { readonly command: Command; readonly rest: readonly string[] } {
  let command = program;
  let rest = [...words];
  while (rest[0] === "--registry") rest = rest.slice(2);
  for (;;) {
    const child = command.commands.find((candidate) => candidate.name() === rest[0]);
    if (!child) break;
    command = child;
    rest = rest.slice(1);
  }
  // `rotate <key>` is what its hidden default command does.
  return { command: command.commands.find((child) => child.name() === "secret") ?? command, rest };
}

/** Faults of a command as it is written: an unknown command or option, a value that is none of the choices. */
function faultsOf(words: readonly string[]): readonly string[] {
  const { command, rest } = resolve(words);
  if (command === program) return [`no command ${words[0]}`];
  const faults: string[] = [];
  const given = rest.filter((word) => word.startsWith("--"));
  for (const flag of given) {
    const option = command.options.find(({ long }) => long === flag);
    if (!option) {
      faults.push(`${command.name()} has no option ${flag}`);
      continue;
    }
    const value = rest[rest.indexOf(flag) + 1];
    if (option.required && (value === undefined || value.startsWith("--")))
      faults.push(`${flag} needs a value`);
    if (option.argChoices && value !== undefined && !option.argChoices.includes(value)) {
      faults.push(`${flag} takes no ${value}`);
    }
  }
  const missing = command.options.filter(({ mandatory, long }) => mandatory && !given.includes(long ?? ""));
  faults.push(...missing.map(({ long }) => `${command.name()} needs ${long}`));
  return faults;
}

const ours = written.filter((command) => command.program === "secrets-registry");
const rehearsals = written.filter((command) => command.program === "rehearsal");

test("the pages hold commands, most of them of the command line", () => {
  expect(ours.length).toBeGreaterThan(40);
});

test.each(named([...ours, ...rehearsals]))("%s: command and options exist", (_, { words }) => {
  expect(faultsOf(words)).toEqual([]);
});

test.each([
  [["rotat", "x"], ["no command rotat"]],
  [["due", "--env", "prod", "--fast"], ["due has no option --fast"]],
  [["list", "--format", "yaml"], ["--format takes no yaml"]],
  [["due"], ["due needs --env"]],
  [["failover", "--env", "prod", "--to"], ["--to needs a value"]],
  [["rotate", "db/app", "--env", "dev", "--phase", "retire"], ["--phase takes no retire"]],
])("%j would be found", (words, faults) => {
  expect(faultsOf(words)).toEqual(faults);
});

test("a block that is not marked as needing a cloud holds commands that are known here, and no others", () => {
  const unknown = pages()
    .filter((path) => !path.startsWith("docs/adr/"))
    .flatMap((page) =>
      blocksOf(textOf(page))
        .filter(({ info }) => info === "sh")
        .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
        .filter((line) => line.trim() !== "" && !line.startsWith("#") && commandsIn(line.trim()).length === 0)
        .map((line) => `${page}: ${line}`),
    );
  expect(unknown).toEqual([]);
});

test.each(named(written.filter((command) => command.program === "npm")))(
  "%s: npm knows the script",
  (_, { words }) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(["ci", ...Object.keys(scripts)]).toContain(words[0]);
  },
);

/** Tests that run the other commands which need no cloud: words of a script or of a rehearsal, the file, and what stands in it. */
const RUN_BY: Readonly<Record<string, readonly [file: string, text: string]>> = {
  ci: [".ci/run", "npm ci"],
  test: [".ci/run", "npm test"],
  synth: ["test/stacks/synth.test.ts", 'execFileSync("npm", ["run", "--silent", "synth"]'],
  rehearse: ["test/rehearsal/start.test.ts", 'new Started(["--registry", "small.ts", "rehearse"])'],
  "rehearse --env prod": [
    "test/rehearsal/start.test.ts",
    'new Started(["rehearse", "--env", environment, "--format", "json"])',
  ],
  "rehearse --env stage --format json": [
    "test/rehearsal/start.test.ts",
    'new Started(["rehearse", "--env", environment, "--format", "json"])',
  ],
  "rehearse --env dev --keep": [
    "test/rehearsal/start.test.ts",
    'new Started(["--registry", "small.ts", "rehearse", "--keep"])',
  ],
};

test("scripts and rehearsals of the pages that need no cloud are run, each by a test that is named here", () => {
  const others = written.filter(({ program, needsCloud }) => program !== "secrets-registry" && !needsCloud);
  const words = new Set(others.map((command) => command.words.join(" ")));
  expect([...words].sort()).toEqual(Object.keys(RUN_BY).sort());
  for (const [file, text] of Object.values(RUN_BY)) expect(textOf(file)).toContain(text);
});

describe("commands that need no cloud run, in an empty folder", () => {
  const here = process.cwd();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "commands-"));
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(here);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(named(ours.filter(({ needsCloud }) => !needsCloud)))("%s", async (_, { words }) => {
    const { code, err } = await cli(...words);
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });
});
