import type { PolicyStatement } from "../../model/policy-document";

/** Answer of IAM's simulation about an action that it does not allow. */
export interface SimulatedDenial {
  readonly action: string;
  /** Condition keys of the principal's policies that the simulated request did not have. */
  readonly missing: readonly string[];
}

/** A trail of CloudTrail, as far as it decides which events are reported. */
export interface TrailFacts {
  readonly name: string;
  readonly isMultiRegion: boolean;
  readonly includesGlobalServices: boolean;
  readonly isLogging: boolean;
  /** Logs the management events that change something. */
  readonly logsWrites: boolean;
  /** Logs the management events that read: `GetSecretValue` is one. */
  readonly logsReads: boolean;
  /** Services whose management events it leaves out: `kms.amazonaws.com`. */
  readonly excludedSources: readonly string[];
  /** Resource types whose data events it logs: `AWS::DynamoDB::Table`. */
  readonly dataResources: readonly string[];
}

/** IAM's count of roles and its quota in the account. */
export interface AccountFacts {
  readonly roles: number;
  readonly rolesQuota: number;
}

/** A question that could not be asked: the caller lacks a right, or there is no such thing to ask. */
export interface Unanswered {
  readonly unanswered: string;
}

/** Facts that AWS gives before a deployment. Every method reads only. */
export interface PreflightCloud {
  callerAccount(): Promise<string>;
  /** In a region: its own trails and those of other regions that log it. */
  trails(region: string): Promise<readonly TrailFacts[] | Unanswered>;
  account(): Promise<AccountFacts | Unanswered>;
  /** Roles below a path. */
  rolesBelow(path: string): Promise<number | Unanswered>;
  /** `false`: there is no such role or user. */
  principalExists(arn: string): Promise<boolean | Unanswered>;
  /** Trust policy of a role, as IAM gives it; `undefined`: there is no such role. */
  trustOf(arn: string): Promise<{ readonly document: unknown } | undefined | Unanswered>;
  /**
   * Actions of an allowing statement that a principal's own policies and its boundary do not allow, for its resources, in a request
   * that the statement's conditions let through; `undefined`: there is no such principal.
   */
  denied(
    arn: string,
    statement: PolicyStatement,
  ): Promise<readonly SimulatedDenial[] | undefined | Unanswered>;
  /** Audiences of an IAM OIDC provider; `undefined`: there is none. */
  oidcAudiences(arn: string): Promise<readonly string[] | undefined | Unanswered>;
  /** Issuer of the tokens with which AWS vouches for roles; `undefined`: switched off. */
  tokenIssuer(): Promise<string | undefined | Unanswered>;
}

/** A Vault's audit devices. */
export interface VaultAudit {
  /** Paths of the devices that are on. */
  devices(vault: {
    readonly name: string;
    readonly address: string;
    readonly namespace?: string | undefined;
    readonly caPem?: string | undefined;
  }): Promise<readonly string[] | Unanswered>;
}

/** `true` for a question without an answer. */
export const isUnanswered = (answer: unknown): answer is Unanswered =>
  typeof answer === "object" && answer !== null && "unanswered" in answer;
