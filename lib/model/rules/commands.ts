import { spawnSync } from "node:child_process";
import { type Fault, fault } from "../faults";
import type { RuleContext } from "./context";

/** Complaints by command: registries are read often, and a shell takes milliseconds. */
const KNOWN = new Map<string, string | undefined>();

/**
 * Complaint of `sh -n`, which reads a command and runs nothing; `undefined` for one that it can read, and where this machine has no
 * `sh`. Agents run commands by the `sh` of their image.
 */
function complaintAbout(command: string): string | undefined {
  if (!KNOWN.has(command)) {
    const { status, stderr } = spawnSync("sh", ["-n"], { input: command, encoding: "utf8", env: {} });
    const [line = ""] = (stderr ?? "").trim().split("\n");
    // `sh: 1: Syntax error: …`, `sh: line 1: syntax error …`
    KNOWN.set(command, status === 0 || status === null ? undefined : line.replace(/^.*?\b\d+: /, ""));
  }
  return KNOWN.get(command);
}

/** Faults of commands that no shell can read: they would fail at each change, in every pod. */
export const commandFaults = ({ parsed }: RuleContext): readonly Fault[] =>
  [...parsed.workloads].flatMap(([name, { reload }]) => {
    if (reload.how !== "command") return [];
    const complaint = complaintAbout(reload.command);
    if (complaint === undefined) return [];
    return [
      fault(
        ["workloads", name, "reload", "command"],
        `${JSON.stringify(reload.command)}, of which sh says: ${complaint}`,
        "a command that sh can read",
        "close its quotes and blocks; sh -n -c '…' tries it without running it",
      ),
    ];
  });
