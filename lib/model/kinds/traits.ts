/** Owner of a secret's value. `aws`: Secrets Manager, mirrored into Vault. `vault`: a Vault engine. */
export type Store = "aws" | "vault";

/** Acceptors of a new credential, who must know it before anybody presents it (docs/explanation/architecture.md, decision 3). */
export type AcceptedBy = "target" | "own-workloads" | "single-slot";

/** Mover of a rotation. */
export type RotationMode = "automatic" | "operator-assisted" | "manual-dual-publish";

/** One field of the stored JSON value, as pods use it. */
export interface ValueField {
  /** Name in the JSON value. */
  readonly name: string;
  /** `object` values (key pairs, generations) are JSON in every format. */
  readonly shape: "string" | "object";
  /** Field that may be given to anyone: a file of its own can be rendered from it (JWKS). */
  readonly public?: true;
}

/** Traits of a kind, as data. */
export interface KindTraits {
  /** Name of the kind for people: `PostgreSQL user`. */
  readonly title: string;
  /** Stores that can own it. */
  readonly stores: readonly Store[];
  /** Possible acceptors; the first is the default. Empty: the author must say. */
  readonly acceptedBy: readonly AcceptedBy[];
  /** Possible ways to rotate it; the first is the default. */
  readonly rotation: readonly RotationMode[];
  /** Fields of the JSON value that rotation writes and pods get. */
  readonly fields: readonly ValueField[];
  /** Settings that pods need beside the value, in the order in which files show them. */
  readonly publicSettings: readonly string[];
}

/** A field that is a text. */
export const textField = (name: string): ValueField => ({ name, shape: "string" });

/** A field that is an object. */
export const objectField = (name: string): ValueField => ({ name, shape: "object" });
