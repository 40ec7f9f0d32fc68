import { isRecord } from "../../model/is-record";

/** Arguments of one element, in Terraform's own names. */
export type Arguments = Readonly<Record<string, unknown>>;

/** One element of a stack: a resource, a variable, an output, a local. */
export interface ViewedElement {
  readonly block: "resource" | "data" | "variable" | "output" | "locals" | "module" | "provider";
  /** Type of a resource or data source, name of a provider; the block otherwise. */
  readonly type: string;
  readonly name: string;
  /** Address as Terraform prints it: `aws_iam_role.app`, `var.password`, `output.url`. */
  readonly address: string;
  /** Path of the construct in its app, where the engine wrote it down. */
  readonly constructPath?: string;
  readonly arguments: Arguments;
}

const PREFIX = { variable: "var", output: "output", locals: "local", module: "module" } as const;

/** Elements of one stack, as rules read them: the same from a construct tree and from its `cdk.tf.json`. */
export class TerraformView {
  readonly elements: readonly ViewedElement[];
  readonly #byAddress: ReadonlyMap<string, ViewedElement>;

  /** @param json a stack's Terraform in JSON syntax, parsed */
  constructor(json: Arguments) {
    this.elements = [
      ...typed("resource", json.resource),
      ...typed("data", json.data),
      ...(["variable", "output", "module"] as const).flatMap((block) =>
        entries(json[block]).map(([name, body]) =>
          element(block, block, name, `${PREFIX[block]}.${name}`, body),
        ),
      ),
      ...[json.locals]
        .flat()
        .flatMap((locals) =>
          entries(locals).map(([name, body]) =>
            element("locals", "locals", name, `local.${name}`, { value: body }),
          ),
        ),
      ...entries(json.provider).flatMap(([name, all]) =>
        [all].flat().map((body, index) => {
          const alias = isRecord(body) && typeof body.alias === "string" ? body.alias : String(index);
          return element("provider", name, alias, `provider.${name}.${alias}`, body);
        }),
      ),
    ];
    this.#byAddress = new Map(this.elements.map((one) => [one.address, one]));
  }

  /** Resources of a type. */
  of(...types: readonly string[]): readonly ViewedElement[] {
    return this.elements.filter(({ block, type }) => block === "resource" && types.includes(type));
  }

  /** Element that an expression such as `${aws_iam_role.app.name}` refers to, and nothing else. */
  referred(value: unknown): ViewedElement | undefined {
    if (typeof value !== "string") return undefined;
    const found = /^\$\{((?:data\.)?[\w-]+\.[\w-]+)\.\w+\}$/.exec(value)?.[1];
    return found === undefined ? undefined : this.#byAddress.get(found);
  }

  /** Accounts that the stack's AWS providers may deploy to. */
  get accounts(): readonly string[] {
    return this.elements
      .filter(({ block, type }) => block === "provider" && type === "aws")
      .flatMap(({ arguments: { allowed_account_ids } }) => argumentTexts(allowed_account_ids));
  }
}

const entries = (value: unknown): readonly (readonly [string, unknown])[] =>
  isRecord(value) ? Object.entries(value).filter(([name]) => name !== "//") : [];

const typed = (block: "resource" | "data", value: unknown): readonly ViewedElement[] =>
  entries(value).flatMap(([type, all]) =>
    entries(all).map(([name, body]) =>
      element(block, type, name, `${block === "data" ? "data." : ""}${type}.${name}`, body),
    ),
  );

function element(
  block: ViewedElement["block"],
  type: string,
  name: string,
  address: string,
  body: unknown,
): ViewedElement {
  // Blocks may be written as lists of one.
  const only = Array.isArray(body) && body.length === 1 ? body[0] : body;
  const { "//": comment, ...rest } = isRecord(only) ? only : {};
  const metadata = isRecord(comment) && isRecord(comment.metadata) ? comment.metadata : {};
  return {
    block,
    type,
    name,
    address,
    ...(typeof metadata.path === "string" ? { constructPath: metadata.path } : {}),
    arguments: rest,
  };
}

/** Texts of an argument that is a text or a list of them. */
export const argumentTexts = (value: unknown): readonly string[] =>
  [value].flat().filter((entry): entry is string => typeof entry === "string");

/** Blocks of an argument: one, or a list of them. */
export const blocksIn = (value: unknown): readonly Arguments[] => [value].flat().filter(isRecord);
