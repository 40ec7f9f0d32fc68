import { accountRoles, blueprint } from "../../blueprint";
import { type Fault, type Registry, RegistryError } from "../../model";
import { endingTexts } from "../../model/ending-grants";

/** Result of checking a registry: its faults, or its content. */
export interface ValidateResult {
  readonly valid: boolean;
  readonly registry: string;
  readonly environments: number;
  readonly workloads: number;
  readonly secrets: number;
  readonly faults: readonly Fault[];
  /** Sentences about quotas of AWS that must be raised before a deployment. */
  readonly advice: readonly string[];
  /** Grants that have ended, or end within 30 days: sentences, by environment. */
  readonly endings: readonly { readonly environment: string; readonly texts: readonly string[] }[];
}

/** Checks what `defineRegistry` cannot see alone: that every environment fits the clouds' size limits. */
export function validate(registry: Registry): ValidateResult {
  const fitting: string[] = [];
  const tooLarge = registry.environmentNames.flatMap((environment) => {
    try {
      blueprint(registry, environment);
      fitting.push(environment);
      return [];
    } catch (error) {
      if (error instanceof RegistryError) return error.faults;
      throw error;
    }
  });
  const roles = accountRoles(registry, fitting);
  const faults = [...tooLarge, ...roles.faults];
  return {
    valid: faults.length === 0,
    registry: registry.id,
    environments: registry.environmentNames.length,
    workloads: registry.workloadNames.length,
    secrets: registry.secretKeys.length,
    faults,
    advice: roles.advice,
    endings: registry.environmentNames
      .map((environment) => ({
        environment,
        texts:
          registry.day === undefined ? [] : endingTexts(registry.endingGrants(environment), registry.day),
      }))
      .filter(({ texts }) => texts.length > 0),
  };
}

/** The result for a definition that did not become a registry. */
export const invalid = (faults: readonly Fault[]): ValidateResult => ({
  valid: false,
  registry: "",
  environments: 0,
  workloads: 0,
  secrets: 0,
  faults,
  advice: [],
  endings: [],
});
