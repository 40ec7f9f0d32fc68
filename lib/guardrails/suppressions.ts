import * as z from "zod/mini";
import { GUARDRAILS, type GuardrailFinding, type GuardrailId } from "./guardrail";
import { covers } from "./view/glob";

const IDS = Object.keys(GUARDRAILS) as [GuardrailId, ...GuardrailId[]];

const suppressionSchema = z.strictObject({
  rule: z.enum(IDS),
  address: z.string().check(z.minLength(1)),
  reason: z.string().check(z.regex(/\S.{19,}/, "a reason of at least 20 characters")),
  until: z.iso.date(),
});

/** A finding that somebody accepts for a time, and why. */
export interface GuardrailSuppression {
  readonly rule: GuardrailId;
  /** Address of the element, with `*`; of a file, its path. */
  readonly address: string;
  /** Reason for the next auditor, at least 20 characters. */
  readonly reason: string;
  /** Last day on which it holds: `2027-06-30`, in UTC. */
  readonly until: string;
}

/** Fault in suppressions or other settings of the guardrails; it names each. */
export class GuardrailSettingsError extends Error {
  override readonly name = "GuardrailSettingsError";
}

/** Checks suppressions, such as those of a file. @throws GuardrailSettingsError for each fault at once */
export function parseSuppressions(value: unknown): readonly GuardrailSuppression[] {
  const result = z.safeParse(z.array(suppressionSchema), value);
  if (result.success) return result.data;
  throw new GuardrailSettingsError(
    faultsIn(result.error.issues.map((issue) => ({ ...issue, path: ["suppressions", ...issue.path] }))),
  );
}

const fileSchema = z.strictObject({
  suppressions: z.optional(z.array(suppressionSchema)),
  accounts: z.optional(z.array(z.string().check(z.regex(/^\d{12}$/)))),
  accessRules: z.optional(
    z.array(
      z.strictObject({
        role: z.optional(z.string()),
        serviceAccount: z.optional(z.string().check(z.regex(/^[^/]+\/[^/]+$/, "namespace/name"))),
        deny: z.array(z.string()),
        denyVault: z.optional(z.array(z.string())),
      }),
    ),
  ),
});

/** Settings of the guardrails as a file has them. */
export type GuardrailFile = z.output<typeof fileSchema>;

/** Checks the contents of a `guardrails.json`. @throws GuardrailSettingsError for each fault at once */
export function parseGuardrailFile(value: unknown): GuardrailFile {
  const result = z.safeParse(fileSchema, value);
  if (result.success) return result.data;
  throw new GuardrailSettingsError(faultsIn(result.error.issues));
}

const faultsIn = (issues: z.core.$ZodIssue[]): string =>
  issues.map(({ path, message }) => `${path.map(String).join(".") || "file"}: ${message}`).join("\n");

/** Findings apart from those that are accepted today. */
export interface SuppressedFindings {
  readonly findings: readonly GuardrailFinding[];
  readonly suppressed: readonly { readonly finding: GuardrailFinding; readonly by: GuardrailSuppression }[];
}

/**
 * Takes accepted findings out. A suppression that has ended accepts nothing and is a finding (SR091).
 *
 * @param on today in UTC, `2026-12-01`
 */
export function suppress(
  findings: readonly GuardrailFinding[],
  suppressions: readonly GuardrailSuppression[],
  on: string,
): SuppressedFindings {
  const fits = (by: GuardrailSuppression, { rule, address }: GuardrailFinding): boolean =>
    by.rule === rule && covers(by.address, address);
  const holding = suppressions.filter(({ until }) => on <= until);
  const suppressed = findings.flatMap((finding) => {
    const by = holding.find((each) => fits(each, finding));
    return by ? [{ finding, by }] : [];
  });
  const accepted = new Set(suppressed.map(({ finding }) => finding));
  const ended = suppressions
    .filter((by) => on > by.until && findings.some((finding) => fits(by, finding)))
    .map(
      (by): GuardrailFinding => ({
        rule: "SR091",
        severity: GUARDRAILS.SR091.severity,
        address: by.address,
        at: "",
        found: `the suppression of ${by.rule} ended on ${by.until}`,
        change: "Change what it accepted, or have its reason reviewed and give it a new day",
      }),
    );
  return { findings: [...findings.filter((finding) => !accepted.has(finding)), ...ended], suppressed };
}
