import { SETTINGS_FIELD } from "../../model/names";
import type { KeptSettings } from "../../model/setting-rules";
import { RotationError } from "../protocol/rotation-error";
import { type Handling, splitSettings } from "../protocol/settings-in-effect";
import type { Target } from "../protocol/target";
import type { RotationContext } from "./rotation-context";

/** A value with what handles it, which follows from the settings that made it. */
export interface Held<V> extends Handling<V> {
  readonly value: V;
  /** The settings that it says made it. */
  readonly kept: KeptSettings | undefined;
}

/** The value of another version, where it lives at the same place as this one. */
export const beside = <V>(one: Handling<V>, other: Held<V> | undefined): V | undefined =>
  other?.place === one.place ? other.value : undefined;

type ValuesContext<V> = Pick<RotationContext<V>, "secretName" | "target" | "settings" | "store" | "guard">;

/** Values of a secret's versions, read and written in the form of its kind. Each goes to the log's guard first. */
export class VersionValues<V> {
  readonly #context: ValuesContext<V>;
  readonly #secretId: string;

  constructor(context: ValuesContext<V>, secretId: string) {
    this.#context = context;
    this.#secretId = secretId;
  }

  /** `undefined`: the version is empty. */
  async read(versionId: string): Promise<Held<V> | undefined> {
    const text = await this.readText(versionId);
    if (text === undefined) return undefined;
    const { value, kept } = splitSettings(this.parse(text));
    const handling = this.#handling(kept);
    return { ...handling, kept, value: this.#check(handling.target, value, versionId) };
  }

  /** Settings that a version keeps; its value need not be of the kind's form. */
  async keptBy(versionId: string): Promise<KeptSettings | undefined> {
    const text = await this.readText(versionId);
    return text === undefined ? undefined : splitSettings(this.parse(text)).kept;
  }

  /** Handling of a value that is made now, and the settings that it is to keep. */
  ofNow(): Omit<Held<V>, "value"> {
    return { ...this.#handling(undefined), kept: this.#context.settings?.kept };
  }

  /** @throws RotationError `value-missing` */
  async require(versionId: string): Promise<Held<V>> {
    const held = await this.read(versionId);
    if (held === undefined) throw this.empty(versionId);
    return held;
  }

  /** The value as it is stored, be it of the kind's form or not. */
  async readText(versionId: string): Promise<string | undefined> {
    const text = await this.#context.store.read(this.#secretId, versionId);
    if (text !== undefined) this.#context.guard(text);
    return text;
  }

  /** Stores a version's value under AWSPENDING. */
  async putPending(versionId: string, held: Held<V>): Promise<void> {
    await this.#context.store.putPending(this.#secretId, versionId, this.#encode(held));
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

  #handling(kept: KeptSettings | undefined): Handling<V> {
    const { settings, target } = this.#context;
    return settings?.of(kept) ?? { target, place: "" };
  }

  #encode({ value, target, kept }: Held<V>): string {
    this.#context.guard(value);
    const checked = this.#check(target, value, "to be written");
    return JSON.stringify(kept === undefined ? checked : { ...checked, [SETTINGS_FIELD]: kept });
  }

  #check(target: Target<V>, value: unknown, versionId: string): V {
    const { secretName } = this.#context;
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
