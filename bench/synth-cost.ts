import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withCompiled } from "./compiled";
import { median } from "./median";
import type { Report } from "./report";
import type { ProcessCost } from "./synth/measured-phases";
import { registrySizes } from "./synth/sized-registry";

const RUNS = 3;
/** One run of 10,000 takes a minute. */
const RUNS_OF_LARGE = 1;
const LARGE = 10_000;

/** Resources of each stack, by type. */
type Counts = readonly Readonly<Record<string, number>>[];

/**
 * From definition to Terraform, for registries of several sizes, beside a script by hand that makes as many resources of
 * the same types. Each run is a process of its own, compiled before; ours and the floor take turns.
 *
 * @param sizes numbers of secrets
 */
export function synthCost(sizes: readonly number[]): Report {
  return withCompiled(["bench/synth/ours.ts", "bench/synth/by-hand.ts"], (folder) => {
    const scripts = { ours: join(folder, "ours.js"), byHand: join(folder, "by-hand.js") };
    const figures = sizes.map((secrets) => compareAt(secrets, scripts, folder));
    return {
      title: "Synth against cdktf by hand",
      table: {
        head: [
          "SECRETS",
          "RESOURCES",
          "CPU",
          "MEMORY",
          "OURS S",
          "BY HAND S",
          "OURS MB",
          "BY HAND MB",
          "OURS: CPU MS",
        ],
        rows: figures.map(({ secrets, resources, ours, byHand }) => [
          secrets.toLocaleString("en"),
          resources.toLocaleString("en"),
          `${(ours.cpuMs / byHand.cpuMs).toFixed(2)} ×`,
          `${(ours.peakMb / byHand.peakMb).toFixed(2)} ×`,
          (ours.cpuMs / 1_000).toFixed(1),
          (byHand.cpuMs / 1_000).toFixed(1),
          ours.peakMb.toFixed(0),
          byHand.peakMb.toFixed(0),
          Object.entries(ours.phases)
            .map(([name, milliseconds]) => `${name} ${milliseconds.toFixed(0)}`)
            .join(", "),
        ]),
      },
      notes: [
        `CPU time of the whole process and its most memory, medians of ${RUNS} runs (${RUNS_OF_LARGE} from ${LARGE.toLocaleString("en")}).`,
        "Each secret has two replicas, a policy and a rotation; each five a role, a Vault policy and role, a ServiceAccount.",
        "By hand, what there are many of has the same attributes and statements.",
        "By hand nothing is checked, no function is packed and no pod's file written. More than 1,000 secrets are several registries.",
      ],
      misses: [],
      binding: false,
      figures,
    };
  });
}

interface Scripts {
  readonly ours: string;
  readonly byHand: string;
}

function compareAt(secrets: number, scripts: Scripts, folder: string) {
  const out = { ours: join(folder, `ours-${secrets}`), byHand: join(folder, `by-hand-${secrets}`) };
  const counted = join(folder, `counts-${secrets}.json`);
  const costs: { readonly ours: ProcessCost; readonly byHand: ProcessCost }[] = [];
  for (let run = 0; run < (secrets < LARGE ? RUNS : RUNS_OF_LARGE); run += 1) {
    const ours = runScript(scripts.ours, [String(secrets), out.ours]);
    writeFileSync(counted, JSON.stringify(countsOf(out.ours, secrets)));
    const byHand = runScript(scripts.byHand, [String(secrets), out.byHand, counted]);
    costs.push({ ours, byHand });
  }
  const counts = countsOf(out.ours, secrets);
  if (JSON.stringify(counts) !== JSON.stringify(countsOf(out.byHand, secrets))) {
    throw new Error(`by-hand.ts makes other resources than the library, at ${secrets} secrets`);
  }
  const resources = counts.flatMap((types) => Object.values(types)).reduce((sum, count) => sum + count, 0);
  return {
    secrets,
    resources,
    ours: middle(costs.map(({ ours }) => ours)),
    byHand: middle(costs.map(({ byHand }) => byHand)),
  };
}

function runScript(script: string, args: readonly string[]): ProcessCost {
  const { output, status, stderr } = spawnSync(process.execPath, [script, ...args], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`);
  return JSON.parse(String(output[3])) as ProcessCost;
}

function countsOf(outdir: string, secrets: number): Counts {
  return registrySizes(secrets).map((_, n) => {
    const file = join(outdir, "stacks", `acme${n}`, "cdk.tf.json");
    const { resource } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly resource: Readonly<Record<string, object>>;
    };
    const types = Object.entries(resource).map(([type, made]): [string, number] => [
      type,
      Object.keys(made).length,
    ]);
    return Object.fromEntries(types.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function middle(costs: readonly ProcessCost[]): ProcessCost {
  const names = Object.keys(costs[0]?.phases ?? {});
  return {
    phases: Object.fromEntries(
      names.map((name) => [name, median(costs.map(({ phases }) => phases[name] ?? 0))]),
    ),
    cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
    peakMb: median(costs.map(({ peakMb }) => peakMb)),
  };
}
