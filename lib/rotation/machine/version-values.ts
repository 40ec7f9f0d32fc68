import { RotationError } from "../rotation-error";
import type { RotationContext } from "./rotation-context";

/** Values of a secret's versions, read and written in the form of its kind. Each is told to the log's guard first. */
export class VersionValues<V> {
  readonly #context: Pick<RotationContext<V>, "secretName" | "target" | "store" | "guard">;
  readonly #secretId: string;

  constructor(
    context: Pick<RotationContext<V>, "secretName" | "target" | "store" | "guard">,
    secretId: string,
  ) {
    this.#context = context;
    this.#secretId = secretId;
  }

  /** `undefined`: the version is empty. */
  async read(versionId: string): Promise<V | undefined> {
    const text = await this.readText(versionId);
    return text === undefined ? undefined : this.#check(this.parse(text), versionId);
  }

  /** @throws RotationError `value-missing` */
  async require(versionId: string): Promise<V> {
    const value = await this.read(versionId);
    if (value === undefined) throw this.empty(versionId);
    return value;
  }

  /** The value as it is stored, be it of the kind's form or not. */
  async readText(versionId: string): Promise<string | undefined> {
    const text = await this.#context.store.read(this.#secretId, versionId);
    if (text !== undefined) this.#context.guard(text);
    return text;
  }

  /** Stores a version's value under AWSPENDING. */
  async putPending(versionId: string, value: V): Promise<void> {
    await this.#context.store.putPending(this.#secretId, versionId, this.#encode(value));
  }

  /** `undefined`: it is no JSON. */
  parse(text: string): unknown {
    const json = parseJson(text);
    this.#context.guard(json);
    return json;
  }

  empty(versionId: string): RotationError {
    return new RotationError("value-missing", `version ${versionId} of ${this.#context.secretName} is empty`);
  }

  #encode(value: V): string {
    this.#context.guard(value);
    return JSON.stringify(this.#check(value, "to be written"));
  }

  #check(value: unknown, versionId: string): V {
    const { target, secretName } = this.#context;
    const result = target.schema.safeParse(value);
    if (result.success) return result.data;
    // Paths only: zod's messages quote what they found.
    const paths = result.error.issues.map((issue) => issue.path.join(".") || "the whole value");
    throw new RotationError(
      "value-malformed",
      `version ${versionId} of ${secretName}: ${[...new Set(paths)].join(", ")}`,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text; the schema says "the whole value" instead.
    return undefined;
  }
}
