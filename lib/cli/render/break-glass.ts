import type { SealingsReport, SealReport } from "../verbs/break-glass";

/** A sealing in the form that was asked for; no share is in it. */
export function renderSeal({ sealed, file, sheets }: SealReport, format: "text" | "json"): string {
  if (format === "json") {
    const { name, sealing, threshold, holders } = sealed;
    return JSON.stringify(
      { name, sealing, threshold, holders: holders.map((one) => one.name), file, sheets },
      undefined,
      2,
    );
  }
  return [
    `${sealed.name} is sealed: ${sealed.threshold} of ${sealed.holders.length} holders open it together.`,
    `  ${file}: commit it`,
    ...sheets.map((sheet) => `  ${sheet}: print it, hand it over, delete it`),
    `Then let them try it: secrets-registry break-glass drill ${sealed.name}`,
  ].join("\n");
}

/** A check of sealings in the form that was asked for. */
export function renderSealings(report: SealingsReport, folder: string, format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(report, undefined, 2);
  if (report.sealings.length === 0) return `Nothing is sealed in ${folder}.`;
  return report.sealings
    .flatMap(({ name, sealed, drilled, faults }) => [
      `${faults.length === 0 ? "ok" : "FAIL"}  ${name}: sealed ${sealed}, ${drilled === undefined ? "never tried in a drill" : `last drill ${drilled}`}`,
      ...faults.map((one) => `      ${one}`),
    ])
    .join("\n");
}
