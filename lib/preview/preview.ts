import type { BlastRadius } from "../blueprint";
import type { Finding } from "../proof";
import type { MonthlyCost } from "./cost";
import type { AccessCell, PeopleCell, TakerCell } from "./registry-state";

/**
 * Differences between two registries, in the registry's words. Texts are sentences with each name in a code span (see `word`).
 * The JSON form of this is published as `docs/reference/preview.schema.json`.
 */
export interface Preview {
  /** Version of this form. */
  readonly schema: 1;
  readonly source: "registry" | "output";
  readonly verdict: Verdict;
  /** The two registries came with different versions of this library, so that nothing is proved of access. Default: `false`. */
  readonly libraryDiffers?: boolean;
  /** Environments of either side, in the order of the head's. */
  readonly environments: readonly EnvironmentPreview[];
}

/** The answer at the top. */
export interface Verdict {
  /**
   * `broadened`: somebody can do something that they could not do before to a secret that was there before, or be somebody that
   * they could not be, whatever else is lost. What comes with a new secret or environment is listed, and no broadening.
   * `undecided`: nothing of that was found, and a changed policy has something that the proof does not know, or the library differs.
   */
  readonly access: "unchanged" | "narrowed" | "undecided" | "broadened";
  /** Something is lost for good, or made anew. */
  readonly destroys: boolean;
  /** A protection is weaker than before. */
  readonly lapses: boolean;
  readonly text: string;
}

/** One environment's differences. */
export interface EnvironmentPreview {
  readonly name: string;
  readonly state: "added" | "removed" | "changed" | "unchanged";
  readonly verdict: Omit<Verdict, "text">;
  /** Keys that only the head has. */
  readonly added: readonly AddedSecret[];
  readonly changed: readonly ChangedSecret[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** Keys that both have, and whose secret is made anew. */
  readonly replaced: readonly { readonly secret: string; readonly why: string }[];
  /** Keys that only the base has. */
  readonly destroyed: readonly { readonly secret: string }[];
  /** Settings of the environment itself. */
  readonly settings: readonly Difference[];
  readonly access: AccessDifference;
  /**
   * Requests about what both sides have that become possible, or of which that is not decided; none: it is proved that there are none,
   * by the policies alone (ADR 33).
   */
  readonly proof: readonly Finding[];
  readonly risks: readonly Risk[];
  /** Grants of the head that have ended, or end within 30 days. */
  readonly endings: readonly string[];
  /** Work for people after the merge. */
  readonly people: readonly string[];
  /** Workloads whose pods have to be made anew, sorted. */
  readonly restarts: readonly string[];
  /** Rotations that begin at another time than before. */
  readonly rotations: readonly string[];
  readonly blast: readonly Blast[];
  readonly functions: { readonly added: number; readonly removed: number; readonly newCode: number };
  readonly cost: { readonly before: MonthlyCost; readonly after: MonthlyCost };
  /** Resources of Terraform by action; of a synthesized output or a plan only. */
  readonly resources?: ResourceCounts;
}

/** A secret that is new. */
export interface AddedSecret {
  readonly secret: string;
  readonly store: "aws" | "vault";
  readonly kind?: string;
  readonly consumers: readonly string[];
  readonly regions: readonly string[];
}

/** A secret with other settings. */
export interface ChangedSecret {
  readonly secret: string;
  readonly differences: readonly Difference[];
}

/** One setting before and after. */
export interface Difference {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** Gains and losses. */
export interface AccessDifference {
  readonly gained: readonly AccessCell[];
  readonly lost: readonly AccessCell[];
  readonly takersGained: readonly TakerCell[];
  readonly takersLost: readonly TakerCell[];
  readonly peopleGained: readonly PeopleCell[];
  readonly peopleLost: readonly PeopleCell[];
}

/** Kinds of risk and what each is to the verdict. */
export const RISKS = {
  "secret-destroyed": "destroys",
  "secret-replaced": "destroys",
  "rename-lost": "destroys",
  "replica-dropped": "destroys",
  "key-replaced": "destroys",
  "environment-removed": "destroys",
  "vault-removed": "destroys",
  "resource-destroyed": "destroys",
  "overlap-shortened": "lapses",
  "cadence-lengthened": "lapses",
  "guard-lapsed": "lapses",
  "classification-lowered": "lapses",
  "grant-prolonged": "lapses",
  "not-by-itself": "lapses",
  "trust-moved": "breaks",
  "reader-lost": "breaks",
  "kind-changed": "breaks",
  "target-changed": "breaks",
  "vault-moved": "breaks",
} as const;

/** Name of a risk. */
export type RiskKind = keyof typeof RISKS;

/** Something that a reviewer has to know before the merge. */
export interface Risk {
  readonly kind: RiskKind;
  /** `destroys`, `lapses`: part of the verdict. `breaks`: pods or rotations fail until somebody acts. */
  readonly effect: (typeof RISKS)[RiskKind];
  readonly secret?: string;
  readonly text: string;
}

/** Reach of a secret that changes. */
export interface Blast {
  readonly secret: string;
  readonly consumers: readonly string[];
  /** Secrets that are rotated with it. */
  readonly dependents: readonly string[];
  /** Consumers that no check watches. */
  readonly unwatched: readonly string[];
  readonly breaks: string;
  readonly rollback: string;
}

/** Blast radius of a secret on one side; `undefined` where that side does not know it. */
export type BlastOf = (side: "base" | "head", environment: string, key: string) => BlastRadius | undefined;

/** Numbers of Terraform's resources. */
export interface ResourceCounts {
  readonly from: "output" | "plan";
  readonly added: number;
  readonly changed: number;
  readonly replaced: number;
  readonly destroyed: number;
  /** Functions that get new code and nothing else: among `changed`. */
  readonly codeOnly: number;
}
