import { textTable } from "../lib/cli/render/table";
import { synthCost } from "./synth-cost";

const r = synthCost([10, 100, 1000]);
process.stdout.write(`${textTable(r.table)}\n${r.misses.join("\n")}\n`);
