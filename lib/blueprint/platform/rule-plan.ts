import type { Duration } from "../../model/duration";
import type { RolePlan } from "./role-plan";

/** An EventBridge rule of the default bus. */
export interface RulePlan {
  readonly name: string;
  /** The rule as one word of Terraform addresses. */
  readonly word: string;
  readonly arn: string;
  readonly description: string;
  readonly when: { readonly pattern: object } | { readonly every: Duration };
  /** Region whose bus it listens to. Default: the primary one. */
  readonly region?: string;
  readonly target: RuleTarget;
}

/**
 * A function with the event that it gets in place of the rule's own; the topic of alarms, with a text in place of the
 * event where there is one; or the bus of the primary region.
 */
export type RuleTarget =
  | { readonly function: string; readonly input?: object }
  | { readonly topic: "alarms"; readonly text?: PageText }
  | { readonly bus: string };

/** Text of a page, made of an event by EventBridge. */
export interface PageText {
  /** JSON paths by name. */
  readonly paths: Readonly<Record<string, string>>;
  /** Text with `<name>` for each value that a path finds, and nothing for one that it does not. */
  readonly template: string;
}

/** Role with which EventBridge passes events of other regions on to the bus of the primary one. */
export interface ForwarderPlan {
  readonly role: RolePlan;
  /** ARN of the bus. */
  readonly bus: string;
}
