import type { AwsSecretPlan, SecretPlan } from "../../../../lib/blueprint";
import type { AnyKindSettings, KindName, KindSettings } from "../../../../lib/model";

/** Result of a consumer's attempt. */
export type LoginResult = "accepted" | "refused";

/** The system that a secret opens, as a server of the rehearsal. */
export interface RehearsedTarget {
  /** The secret's settings with the places where the rehearsal's servers are. */
  readonly settings: AnyKindSettings["settings"];
  /** Tries a value as a consumer does; `undefined`: nothing can be tried from outside. */
  readonly attempt?: (value: unknown) => Promise<LoginResult>;
  /** Gives what a person takes from the vendor's dashboard for the next rotation; a promise, where it takes time. */
  readonly reissued?: () => unknown;
  /** A person sets a value there that rules have made, or one that is to be in use again where there is one slot. */
  readonly takes?: (value: unknown) => Promise<void>;
  /** Ends the old one as a person does there: no API may end it. */
  readonly expire?: (value: unknown) => void | Promise<void>;
  /** Number of credentials that the target has for the secret, those of nobody included. */
  readonly credentials?: () => Promise<number>;
  /** Something happens at the vendor: what it sends to the consumer, signed by what the secret holds. */
  readonly events?: () => Promise<readonly SignedEvent[]>;
}

/** An event as a vendor sends it. */
export interface SignedEvent {
  readonly payload: string;
  /** The header that signs it. */
  readonly signature: string;
}

/** Values that people put into secrets, by key: admin credentials, keys from a vendor's dashboard. */
export type SuppliedValues = Map<string, Readonly<Record<string, unknown>>>;

/** A secret of Secrets Manager of one kind, with that kind's settings. */
export type SecretOf<K extends KindName> = AwsSecretPlan & {
  readonly kind: K;
  readonly settings: KindSettings<K>;
};

/** Narrows a plan to a kind. */
export const isOfKind = <K extends KindName>(secret: SecretPlan, kind: K): secret is SecretOf<K> =>
  secret.store === "aws" && secret.kind === kind;
