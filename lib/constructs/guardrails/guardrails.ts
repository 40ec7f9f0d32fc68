import { Annotations, type IAspect, TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import {
  checkStack,
  type GuardrailSettings,
  type GuardrailSuppression,
  guardrailText,
  parseSuppressions,
  suppress,
} from "../../guardrails";

/** Input of {@link Guardrails}. */
export interface GuardrailsProps extends GuardrailSettings {
  /** Findings that are accepted for a time; each is shown as information. @default none */
  readonly suppressions?: readonly GuardrailSuppression[];
  /** Day by which suppressions hold, in UTC, `2026-12-01`. @default today */
  readonly on?: string;
  /** `warn`: findings are warnings, while a stack is brought in order. @default `refuse` */
  readonly mode?: "refuse" | "warn";
}

/**
 * Guardrails on one stack, of this library or of any other app: each finding becomes an annotation of the construct
 * that it is about, and an error ends the synth. `Aspects.of(app)` visits no stack: add it to each one, after other
 * aspects that change resources.
 *
 * @example
 * Aspects.of(stack).add(new Guardrails());
 *
 * @throws GuardrailSettingsError for suppressions that are none
 */
export class Guardrails implements IAspect {
  readonly #props: GuardrailsProps;
  readonly #suppressions: readonly GuardrailSuppression[];

  constructor(props: GuardrailsProps = {}) {
    this.#props = props;
    this.#suppressions = parseSuppressions(props.suppressions ?? []);
  }

  visit(node: IConstruct): void {
    // Rules look at a stack as a whole: what rotates a secret is another resource.
    if (!TerraformStack.isStack(node)) return;
    const { on = new Date().toISOString().slice(0, 10), mode = "refuse" } = this.#props;
    const { findings, suppressed } = suppress(
      checkStack(node.toTerraform(), this.#props),
      this.#suppressions,
      on,
    );
    const constructs = new Map(node.node.findAll().map((construct) => [construct.node.path, construct]));
    const notesOf = (path: string | undefined): Annotations =>
      Annotations.of((path === undefined ? undefined : constructs.get(path)) ?? node);
    for (const finding of findings) {
      const notes = notesOf(finding.constructPath);
      if (finding.severity === "error" && mode === "refuse") notes.addError(guardrailText(finding));
      else notes.addWarning(guardrailText(finding));
    }
    for (const { finding, by } of suppressed) {
      notesOf(finding.constructPath).addInfo(
        `${guardrailText(finding)} Accepted until ${by.until}: ${by.reason}`,
      );
    }
  }
}
