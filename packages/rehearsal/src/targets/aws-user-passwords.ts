import type { WireError } from "../shim";

/** The two services whose users have passwords, with the pages that the rules below follow. */
export const USER_PAGES = {
  elasticache: {
    guide: "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html",
    change: "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html",
  },
  memorydb: {
    guide: "https://docs.aws.amazon.com/memorydb/latest/devguide/clusters.acls.html",
    change: "https://docs.aws.amazon.com/memorydb/latest/APIReference/API_UpdateUser.html",
  },
} as const;

/** A service with users. */
export type UserService = keyof typeof USER_PAGES;

/** Authentication of a user, as a request names it. */
export interface AuthenticationRequest {
  readonly type: string | undefined;
  /** `undefined`: the request names none. */
  readonly passwords: readonly string[] | undefined;
}

/** Settings of a new user. */
export interface AwsUserProps {
  readonly service: UserService;
  readonly id: string;
  /** By which it logs in. @default its id */
  readonly name?: string;
  /** @default none: without a password (ElastiCache's `no-password-required`) */
  readonly passwords?: readonly string[];
  readonly iam?: boolean;
}

/** A user of ElastiCache or MemoryDB by AWS's documents. It refuses what they refuse. */
export class AwsUser {
  readonly service: UserService;
  readonly id: string;
  readonly name: string;
  readonly tags = new Map<string, string>();
  #type: "password" | "no-password" | "iam";
  #passwords: readonly string[];

  constructor({ service, id, name = id, passwords = [], iam = false }: AwsUserProps) {
    this.service = service;
    this.id = id;
    this.name = name;
    this.#type = iam ? "iam" : passwords.length === 0 ? "no-password" : "password";
    this.#passwords = passwords;
  }

  /** As `Authentication` of `DescribeUsers`. */
  get authentication(): { readonly Type: string; readonly PasswordCount?: number } {
    return this.#type === "password"
      ? { Type: "password", PasswordCount: this.#passwords.length }
      : { Type: this.#type };
  }

  get passwords(): readonly string[] {
    return this.#passwords;
  }

  lets(password: string): boolean {
    return this.#type === "no-password" || this.#passwords.includes(password);
  }

  /**
   * Takes a change or refuses it. "The passwords belonging to the user": a change names all of them.
   *
   * @returns the refusal, or what makes the change take effect
   */
  change({ type, passwords }: AuthenticationRequest): WireError | (() => void) {
    const refusal = this.#refusalOf({ type, passwords });
    if (refusal !== undefined) return refusal;
    return () => {
      this.#type = type === "no-password-required" ? "no-password" : type === "iam" ? "iam" : "password";
      this.#passwords = type === undefined || type === "password" ? (passwords ?? []) : [];
    };
  }

  #refusalOf({ type, passwords }: AuthenticationRequest): WireError | undefined {
    // "You can't delete or modify this user" (ElastiCache's guide, of the user with the id default); MemoryDB has its own too.
    if (this.id === "default") return value("The default user cannot be modified");
    const types =
      this.service === "elasticache" ? ["password", "no-password-required", "iam"] : ["password", "iam"];
    if (type !== undefined && !types.includes(type)) return value(`Unknown authentication type ${type}`);
    if (type !== undefined && type !== "password") {
      return passwords === undefined ? undefined : combination(`Passwords are not allowed with ${type}`);
    }
    if (passwords === undefined || passwords.length === 0) return combination("Passwords are required");
    // "You are allowed up to two."
    if (passwords.length > 2) return value("A user can have up to two passwords");
    // "Passwords ... must be 16-128 printable characters" (the guide to AUTH, "Tokens, or passwords")
    if (!passwords.every((password) => /^[!-~]{16,128}$/.test(password)))
      return value("Invalid password provided");
    return new Set(passwords).size === passwords.length ? undefined : value("Passwords must differ");
  }
}

const value = (message: string): WireError => ({ code: "InvalidParameterValue", message });
const combination = (message: string): WireError => ({ code: "InvalidParameterCombination", message });
