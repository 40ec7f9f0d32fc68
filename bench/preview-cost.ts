import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { withCompiled } from "./compiled";
import { median } from "./median";
import { ENVIRONMENTS, SECRETS } from "./preview/large-registry";
import type { Report } from "./report";

const RUNS = 3;

/** Aims of the preview: a reviewer does not wait for it. */
const MOST_SECONDS = 10;
const MOST_MB = 1_000;

interface Figures {
  readonly changes: number;
  readonly loadMs: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
  readonly characters: number;
}

/** Time and memory of a preview of many secrets, in a process of its own, compiled before. */
export function previewCost(): Report {
  return withCompiled(["bench/preview/measured.ts"], (folder) => {
    const script = join(folder, "measured.js");
    const runs = Array.from({ length: RUNS }, () => runScript(script));
    const figures = {
      secrets: ENVIRONMENTS * SECRETS,
      changes: runs[0]?.changes ?? 0,
      seconds: median(runs.map(({ wallMs }) => wallMs)) / 1_000,
      cpuSeconds: median(runs.map(({ cpuMs }) => cpuMs)) / 1_000,
      peakMb: median(runs.map(({ peakMb }) => peakMb)),
      characters: runs[0]?.characters ?? 0,
    };
    return {
      title: "Preview of a large registry",
      table: {
        head: ["SECRETS", "CHANGED", "SECONDS", "CPU S", "MEMORY MB", "COMMENT"],
        rows: [
          [
            figures.secrets.toLocaleString("en"),
            figures.changes.toLocaleString("en"),
            figures.seconds.toFixed(1),
            figures.cpuSeconds.toFixed(1),
            figures.peakMb.toFixed(0),
            figures.characters.toLocaleString("en"),
          ],
        ],
      },
      notes: [
        `Medians of ${RUNS} runs: both registries checked, both sides' plans, the comparison, the comment. 1,000 keys in ten environments.`,
      ],
      misses: [
        ...(figures.seconds > MOST_SECONDS ? [`${figures.seconds.toFixed(1)} s, aim ${MOST_SECONDS}`] : []),
        ...(figures.peakMb > MOST_MB ? [`${figures.peakMb.toFixed(0)} MB, aim ${MOST_MB}`] : []),
      ],
      binding: false,
      figures: [figures],
    };
  });
}

function runScript(script: string): Figures {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}
