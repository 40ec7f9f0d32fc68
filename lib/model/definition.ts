import * as z from "zod/mini";
import type { EnvironmentInput } from "./environment-definition";
import { oneLine } from "./grammar";
import type { SecretInput } from "./secret-definition";
import type { WorkloadInput } from "./workload-definition";

/**
 * Definition that an author writes. Types here give completion and compile errors; the schemas beside them check the same
 * at run time, because registries are also loaded from JavaScript.
 */

/** Secrets that a workload may consume at all, as key patterns: `db/app-primary`, `db/*` or `*`. */
export interface AccessRuleInput {
  /** Default: everything that is not denied. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** Shown when a consumer breaks the rule. */
  readonly reason?: string;
}

/** The whole definition that `defineRegistry` takes. */
export interface RegistryInput<
  E extends string = string,
  W extends string = string,
  K extends string = string,
> {
  /** Short name in role names, paths and policy names. Default: `secrets`. */
  readonly id?: string;
  readonly environments: { readonly [P in E]: EnvironmentInput<NoInfer<K>> };
  readonly workloads: { readonly [P in W]: WorkloadInput<NoInfer<E>> };
  readonly secrets: { readonly [P in K]: SecretInput<NoInfer<E>, NoInfer<W>, NoInfer<K>> };
  readonly accessRules?: { readonly [P in NoInfer<W>]?: AccessRuleInput };
}

/** Run-time schema of an access rule. */
export const accessRuleSchema = z.strictObject({
  allow: z.optional(z.array(z.string())),
  deny: z._default(z.array(z.string()), []),
  reason: z.optional(oneLine),
});

/** An access rule as checked. */
export type ParsedAccessRule = z.output<typeof accessRuleSchema>;
