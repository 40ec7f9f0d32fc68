import { textTable } from "../terminal/table";
import type { BootstrapReport, BootstrapRow } from "../verbs/bootstrap";
import type { RotationReport } from "../verbs/direct-rotation";
import type { Format } from "./results";

const DONE: Readonly<Record<RotationReport["phase"], string>> = {
  rotate: "rotated",
  publish: "the next key is published",
  promote: "promoted",
  verify: "verified",
  decommission: "the old credential is ended",
  rollback: "rolled back",
};

/** Progress of a rotation. */
export function renderRotation(report: RotationReport, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["version", report.version],
    ["verified", report.fault ? undefined : report.verified ? "yes" : "no"],
    ["in Vault", report.confirmedAt],
  ];
  return [
    `${report.secret} in ${report.environment}: ${headline(report)}.`,
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(9)} ${value}`])),
    ...(report.fault ? [`  ${report.fault.message}`] : []),
    ...(report.next === undefined ? [] : [report.next]),
  ].join("\n");
}

function headline({ outcome, phase }: RotationReport): string {
  switch (outcome) {
    case "done":
      return DONE[phase];
    case "followed":
      return `${DONE[phase]}; it was under way already`;
    case "already-done":
      return phase === "rotate" ? "what was supplied is the current value already" : `${DONE[phase]} already`;
    case "nothing-to-do":
      return "there is nothing to do";
    case "staged":
      return "a new value is staged";
    case "too-early":
      return "too early";
    case "failed":
      return phase === "rotate" ? "not rotated" : `${phase} failed`;
  }
}

const DID: Readonly<Record<BootstrapRow["did"], string>> = {
  nothing: "nothing to do",
  made: "first value made",
  supplied: "value put and proved",
  staged: "value staged: take it to the target, then rotate --phase promote",
  vault: "Vault makes it",
  waiting: "waits for its admin secret",
  failed: "failed",
};

/** State of an environment after its first rotations. */
export function renderBootstrap(report: BootstrapReport, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const { environment, account, complete, warnings, secrets } = report;
  const table = textTable({
    head: ["SECRET", "DONE", "VERSION", "VERIFIED", "IN EVERY VAULT"],
    rows: secrets.map(({ secret, did, version, verified, confirmedAt }) => [
      secret,
      DID[did],
      version ?? "",
      did === "vault" ? "" : verified ? "yes" : "no",
      did === "vault" ? "" : (confirmedAt ?? "no"),
    ]),
  });
  const faults = secrets.flatMap(({ secret, fault }) => (fault ? [`${secret}: ${fault.message}`] : []));
  const end = complete
    ? `${environment} (account ${account}) is ready: every secret is proved, and every Vault serves it.`
    : `${environment} (account ${account}) is not complete. Run the same command again when what is said above is fixed: it does what is left.`;
  return [table, ...[...faults, ...warnings].map((line) => `\n${line}`), `\n${end}`].join("\n");
}
