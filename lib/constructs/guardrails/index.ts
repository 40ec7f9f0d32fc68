/** Guardrails for stacks of any app: no provider is loaded here. */
export * from "../../guardrails";
export { Guardrails, type GuardrailsProps } from "./guardrails";
