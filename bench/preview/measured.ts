import { blastRadius } from "../../lib/blueprint";
import { renderPreview } from "../../lib/cli/render/preview";
import { compare, stateOfRegistry } from "../../lib/preview";
import { largeRegistry } from "./large-registry";

/** Compares two registries of 10,000 secrets, 1,000 of which differ, in this process, and prints its figures. */
const started = performance.now();
const now = new Date("2026-12-01T00:00:00Z");
const [base, head] = [largeRegistry(0), largeRegistry(100)];
const loaded = performance.now();
const preview = compare(stateOfRegistry(base, now), stateOfRegistry(head, now), {
  blastOf: (side, environment, key) => blastRadius(side === "base" ? base : head, environment, key),
});
const comment = renderPreview(preview, "md", 60_000);
const { user, system } = process.cpuUsage();
process.stdout.write(
  JSON.stringify({
    changes: preview.environments.reduce((sum, { changed }) => sum + changed.length, 0),
    loadMs: loaded - started,
    wallMs: performance.now() - started,
    cpuMs: (user + system) / 1_000,
    peakMb: process.resourceUsage().maxRSS / 1_024,
    characters: comment.length,
  }),
);
