import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type BuildOptions, buildSync, type Metafile } from "esbuild";
import { blueprint } from "../lib/blueprint";
import { registry } from "../registry";
import { BUNDLE_OPTIONS } from "../scripts/bundle-options";
import { median, type Spread, showSpread, spreadOf } from "./median";
import type { Report } from "./report";

/** Aim for a function's start, as a multiple of a bare handler's. */
const MOST = 1.3;
const WARM_UP = 2;
const PAIRS = 15;

const root = join(__dirname, "..");

/** The floor keeps the SDK's whole chain of credentials, as a handler has that somebody bundles without a thought of it. */
const SDK_AS_IT_IS = { alias: { yaml: BUNDLE_OPTIONS.alias.yaml } };

/** The part of the AWS SDK that is loaded and run, by package: its client and its commands. */
type SdkUse = Readonly<Record<string, readonly string[]>>;

/** One start of a process, in CPU milliseconds: other work on the machine makes the clock's time useless. */
interface Start {
  /** Node's own start included, as in Lambda's. */
  readonly process: number;
  /** Loading the bundle and its first event. */
  readonly code: number;
}

/**
 * Starts each function and a bare handler in turn: a new process loads the bundle and takes one event. The function's
 * event is empty, so it reads its settings, makes its clients and logger, logs and refuses; one that needs no event fails for
 * want of credentials. The bare handler makes the same clients of the SDK for the same commands, bundled alike but for the chain of credentials, which it keeps.
 * A function without clients (the checker) has no such floor.
 */
export function coldStarts(): Report {
  const folder = mkdtempSync(join(tmpdir(), "bench-cold-start-"));
  try {
    const functions = new Map(blueprint(registry, "prod").functions.map((plan) => [plan.bundle, plan]));
    const figures = [...functions.values()].flatMap((plan) => {
      const place = join(folder, plan.name);
      mkdirSync(place);
      writeFileSync(join(place, "settings.json"), JSON.stringify(plan.settings));
      const ours = join(place, "function.js");
      const floor = join(place, "bare.js");
      const sdk = sdkUseOf(bundleTo(ours, { entryPoints: [`lib/rotation/handlers/${plan.bundle}.ts`] }));
      if (Object.keys(sdk).length === 0) return [];
      bundleTo(floor, { ...SDK_AS_IT_IS, stdin: { contents: bareHandler(sdk), resolveDir: root } });
      return [{ function: plan.bundle, sdk, ...compare(ours, floor) }];
    });
    return {
      title: "Cold start against a bare handler with the same SDK clients",
      table: {
        head: ["FUNCTION", "PROCESS", "CODE ALONE", "CPU MS", "BARE MS", "SDK"],
        rows: figures.map((row) => [
          row.function,
          showSpread(row.process),
          showSpread(row.code),
          row.cpuMs.toFixed(0),
          row.bareCpuMs.toFixed(0),
          Object.keys(row.sdk)
            .map((name) => name.replace("@aws-sdk/client-", ""))
            .join(", "),
        ]),
      },
      notes: [
        `Ratios of CPU time, median (quartiles) of ${PAIRS} pairs that took turns. Process: all of the Node process; code alone: without Node's own start.`,
        `Aim: process under ${MOST}. Node ${process.versions.node}.`,
      ],
      misses: figures
        .filter((row) => row.process.median >= MOST)
        .map((row) => `${row.function}: ${row.process.median.toFixed(2)} times the bare handler's start`),
      binding: false,
      figures,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function bundleTo(outfile: string, input: Pick<BuildOptions, "entryPoints" | "stdin" | "alias">): Metafile {
  const { metafile } = buildSync({
    ...BUNDLE_OPTIONS,
    ...input,
    absWorkingDir: root,
    outfile,
    metafile: true,
    logLevel: "error",
  });
  return metafile;
}

/** Clients of the SDK in a bundle, with their classes. */
function sdkUseOf({ inputs, outputs }: Metafile): SdkUse {
  const use: Record<string, string[]> = {};
  const atStart = loadedAtStart(
    inputs,
    Object.values(outputs).flatMap(({ entryPoint }) => entryPoint ?? []),
  );
  for (const output of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      if (!atStart.has(path)) continue;
      const found =
        /node_modules\/(@aws-sdk\/client-[^/]+)\/dist-es\/(?:commands\/)?(\w+(?:Client|Command))\.js$/.exec(
          path,
        );
      const [, name, exported] = found ?? [];
      if (name === undefined || exported === undefined || bytesInOutput === 0) continue;
      use[name] = [...(use[name] ?? []), exported].sort();
    }
  }
  return use;
}

/** Modules that an entry loads before its first event: whatever it imports, but not what it only will import. */
function loadedAtStart(inputs: Metafile["inputs"], entries: readonly string[]): ReadonlySet<string> {
  const seen = new Set(entries);
  for (const path of seen) {
    for (const { path: imported, kind } of inputs[path]?.imports ?? []) {
      if (kind !== "dynamic-import") seen.add(imported);
    }
  }
  return seen;
}

function bareHandler(sdk: SdkUse): string {
  const classes = Object.entries(sdk);
  const all = classes.flatMap(([, names]) => names);
  return [
    ...classes.map(([name, names]) => `import { ${names.join(", ")} } from "${name}";`),
    `const clients = [${all.filter((name) => name.endsWith("Client")).map((name) => `new ${name}({})`)}];`,
    `export const commands = [${all.filter((name) => name.endsWith("Command"))}];`,
    "export const handler = async () => clients.length;",
  ].join("\n");
}

function compare(ours: string, floor: string) {
  const pairs: { readonly ours: Start; readonly floor: Start }[] = [];
  for (let round = 0; round < WARM_UP + PAIRS; round += 1) {
    const pair = {
      ours: start(ours, "refused"),
      floor: start(floor, "done"),
    };
    if (round >= WARM_UP) pairs.push(pair);
  }
  const ratios = (part: keyof Start): Spread =>
    spreadOf(pairs.map((pair) => pair.ours[part] / pair.floor[part]));
  return {
    process: ratios("process"),
    code: ratios("code"),
    cpuMs: median(pairs.map((pair) => pair.ours.process)),
    bareCpuMs: median(pairs.map((pair) => pair.floor.process)),
  };
}

const START = `
  const { cpuUsage } = process;
  const before = cpuUsage();
  const done = (code) => () => {
    const milliseconds = ({ user, system }) => (user + system) / 1000;
    const result = { process: milliseconds(cpuUsage()), code: milliseconds(cpuUsage(before)), answer: code };
    require("node:fs").writeSync(3, JSON.stringify(result));
  };
  require(process.argv[1]).handler({}).then(done("done"), ({ code }) => done(code === "settings-malformed" ? code : "refused")());`;

function start(bundle: string, answer: string): Start {
  const { output } = spawnSync(process.execPath, ["-e", START, bundle], {
    env: { LAMBDA_TASK_ROOT: dirname(bundle), AWS_REGION: "eu-central-1", AWS_EC2_METADATA_DISABLED: "true" },
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const result = JSON.parse(String(output[3])) as Start & { readonly answer: string };
  if (result.answer !== answer) throw new Error(`${bundle} answered ${result.answer}, not ${answer}`);
  return result;
}
