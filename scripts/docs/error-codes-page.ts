import { ROTATION_FAULTS } from "../../lib/rotation/protocol/rotation-error";
import { code, page, table } from "./page";

/** Page of the codes with which rotation says no. */
export function errorCodesPage(): string {
  const rows = Object.entries(ROTATION_FAULTS).sort(([a], [b]) => (a < b ? -1 : 1));
  return page("Error codes", [
    "## Rotation",
    "Functions, logs, runs, records and the command line name a fault of a rotation by one of these codes, with a detail of names and times, never a value. `name` of the error is `RetryableRotationError` or `RotationError`. " +
      "Retryable: the same call may succeed later without anybody's help, so Secrets Manager and the state machine try again.",
    table({
      head: ["code", "retryable", "what to do"],
      rows: rows.map(([name, { retryable, change }]) => [code(name), retryable ? "yes" : "no", change]),
    }),
    "## Registry",
    "Faults of a registry have no codes. Each names a place, what was found, what is allowed, and what to change; all come at once, in one `RegistryError` (`secrets-registry validate --format json` gives them as a list):",
    '```text\nsecrets["redis/app"].rotateEvery\n  found:   …\n  allowed: …\n  change:  …\n```',
    "## Command line",
    "Exit codes: [command line](cli.md).",
  ]);
}
