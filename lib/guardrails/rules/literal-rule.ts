import { isRecord } from "../../model/is-record";
import type { GuardrailFinding } from "../guardrail";
import { assignmentsIn, isLiteralValue, isSecretName, secretFormIn } from "../literals";
import type { TerraformView, ViewedElement } from "../view/terraform-view";
import { breach } from "./breach";

const CHANGE = "Keep the value in Secrets Manager or Vault, and give the secret's ARN or name here";

/** SR001: no element holds a secret-looking literal. SR003: no image gets one while it is built. */
export const literalBreaches = (view: TerraformView): readonly GuardrailFinding[] =>
  view.elements.flatMap((element) => {
    const inside = { element, found: [] as GuardrailFinding[] };
    if (element.block === "variable") variableDefault(element, inside.found);
    // The names of a variable, an output and a local say what their value is.
    const name = ["output", "locals"].includes(element.block) ? element.name : "";
    for (const [argument, value] of Object.entries(element.arguments)) {
      if (element.block === "variable" && argument === "default" && inside.found.length > 0) continue;
      if (["description", "depends_on", "lifecycle"].includes(argument)) continue;
      walk(inside, argument, argument === "value" && name !== "" ? name : argument, value);
    }
    return inside.found;
  });

function variableDefault(element: ViewedElement, found: GuardrailFinding[]): void {
  const { default: value, sensitive } = element.arguments;
  if (typeof value !== "string" || !isLiteralValue(value)) return;
  if (sensitive !== true && !isSecretName(element.name)) return;
  found.push(
    breach(
      "SR001",
      element,
      "default",
      `a ${sensitive === true ? "sensitive variable" : "variable with a secret's name"} has a literal default`,
      "Take the default away, mark the variable sensitive and ephemeral, and give the value when Terraform runs",
    ),
  );
}

interface Inside {
  readonly element: ViewedElement;
  readonly found: GuardrailFinding[];
}

/** Arguments whose lists and maps are handed to an image's build. */
const BUILD_ARGUMENTS = /(?:^|\.)build_args?(?:\.|\[|$)/;

function walk(inside: Inside, at: string, name: string, value: unknown): void {
  if (typeof value === "string") {
    text(inside, at, name, value);
    return;
  }
  if (Array.isArray(value)) {
    value.forEach((entry, index) => {
      walk(inside, `${at}[${index}]`, name, entry);
    });
    return;
  }
  if (!isRecord(value)) return;
  // A pair, as containers and charts take variables.
  const named = value.name ?? value.key;
  const pair = typeof named === "string" && typeof value.value === "string" ? named : undefined;
  for (const [key, entry] of Object.entries(value)) {
    walk(inside, `${at}.${key}`, pair !== undefined && key === "value" ? pair : key, entry);
  }
}

/** Arguments with lines for a machine's start or a chart, where each assignment counts. */
const OF_LINES =
  /(?:^|[.\]_])(?:user_data|user_data_base64|values|script|command|inline|custom_data|startup_script)(?:\[\d+\])?$/;

function text(inside: Inside, at: string, name: string, value: string): void {
  const json = /^\s*[[{]/.test(value) ? parsed(value) : undefined;
  if (json !== undefined) {
    walk(inside, at, name, json);
    return;
  }
  const lines = at.endsWith("user_data_base64") ? Buffer.from(value, "base64").toString("utf8") : value;
  const form = secretFormIn(lines);
  const rule = BUILD_ARGUMENTS.test(at) ? "SR003" : "SR001";
  const say = (what: string): void => {
    const change =
      rule === "SR003"
        ? "Give the build the id of a secret (secretReference), or mount it (--mount=type=secret)"
        : CHANGE;
    inside.found.push(breach(rule, inside.element, at, what, change));
  };
  if (form !== undefined) {
    say(`it holds ${form}`);
    return;
  }
  if (OF_LINES.test(at)) {
    const names = assignmentsIn(lines)
      .filter((assigned) => isSecretName(assigned.name) && isLiteralValue(assigned.value))
      .map((assigned) => assigned.name);
    if (names.length > 0) say(`it gives ${[...new Set(names)].join(", ")} a literal value`);
    return;
  }
  if (isSecretName(last(name)) && isLiteralValue(value)) say(`${last(name)} has a literal value`);
}

const last = (name: string): string => name.split(".").at(-1) ?? name;

function parsed(value: string): unknown {
  try {
    const json: unknown = JSON.parse(value);
    return typeof json === "object" ? json : undefined;
  } catch {
    return undefined;
  }
}
