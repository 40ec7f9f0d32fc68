import "./bundle-functions";
import { processTerminal, run } from "../lib/cli";

/**
 * `npm run synth`: bundles the functions, synthesizes every stack, and lists what they hold. In one process, because the start of
 * a process, TypeScript's loader and the registry's rules cost more than the work itself.
 */
async function synth(): Promise<void> {
  const { synthesized } = await import("../main.js");
  await synthesized;
  if (process.exitCode) return;
  process.exitCode = await run(["list"], processTerminal(process));
}

synth();
