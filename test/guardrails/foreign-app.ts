import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, Aspects, TerraformResource, TerraformStack } from "cdktf";
import { Guardrails, type GuardrailsProps } from "../../lib/constructs/guardrails";

/** One annotation of a construct, as the engine keeps it. */
export interface Note {
  readonly level: "error" | "warn" | "info";
  readonly path: string;
  readonly text: string;
}

/** A stack of an app that never saw this library, with one function that fills it. */
export type Fill = (stack: TerraformStack) => void;

/** A resource of whatever provider, in Terraform's own words. */
export function resource(
  stack: TerraformStack,
  type: string,
  id: string,
  args: Readonly<Record<string, unknown>>,
): TerraformResource {
  const made = new TerraformResource(stack, id, { terraformResourceType: type });
  for (const [name, value] of Object.entries(args)) made.addOverride(name, value);
  return made;
}

const CONTINUE = "CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS";

/** Synthesizes an app with the guardrails on its one stack: notes of all constructs, and its Terraform. */
export function guarded(
  fill: Fill,
  props: GuardrailsProps = {},
): { readonly notes: readonly Note[]; readonly terraform: Readonly<Record<string, unknown>> } {
  const outdir = mkdtempSync(join(tmpdir(), "foreign-"));
  // Else the engine stops at the first error of a program that is started without its command line.
  const before = process.env[CONTINUE];
  process.env[CONTINUE] = "1";
  try {
    const app = new App({ outdir });
    const stack = new TerraformStack(app, "theirs");
    new AwsProvider(stack, "aws", { region: "eu-west-1" });
    fill(stack);
    Aspects.of(stack).add(new Guardrails(props));
    app.synth();
    const notes = stack.node.findAll().flatMap(({ node }) =>
      node.metadata
        .filter(({ type }) => type.startsWith("@cdktf/"))
        .map(({ type, data }) => ({
          level: type.slice("@cdktf/".length) as Note["level"],
          path: node.path,
          text: String(data),
        })),
    );
    return {
      notes,
      terraform: JSON.parse(readFileSync(join(outdir, "stacks/theirs/cdk.tf.json"), "utf8")),
    };
  } finally {
    if (before === undefined) delete process.env[CONTINUE];
    else process.env[CONTINUE] = before;
    rmSync(outdir, { recursive: true, force: true });
  }
}
