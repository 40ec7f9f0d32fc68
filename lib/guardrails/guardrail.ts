/** Every rule: its id never changes its meaning and is never given to another. */
export const GUARDRAILS = {
  SR001: { title: "Secret-looking literal", severity: "error" },
  SR002: { title: "Secret value in Terraform's state", severity: "error" },
  SR003: { title: "Secret as a build argument", severity: "error" },
  SR010: { title: "Secret without a customer key", severity: "error" },
  SR011: { title: "Secret without replicas", severity: "error" },
  SR012: { title: "Secret without rotation", severity: "error" },
  SR020: { title: "Wildcard on secrets or keys", severity: "error" },
  SR021: { title: "Foreign or open principal on secrets or keys", severity: "error" },
  SR022: { title: "Wildcard on Vault paths", severity: "error" },
  SR030: { title: "Trust without exact subject and audience", severity: "error" },
  SR040: { title: "Workload reads what its access rules deny", severity: "error" },
  SR050: { title: "Log group without retention", severity: "error" },
  SR060: { title: "Credential in a file", severity: "error" },
  SR090: { title: "Policy that cannot be read here", severity: "warning" },
  SR091: { title: "Suppression that has ended or fits nothing", severity: "warning" },
} as const satisfies Readonly<Record<string, { title: string; severity: "error" | "warning" }>>;

/** Id of a rule. */
export type GuardrailId = keyof typeof GUARDRAILS;

/** One breach of a rule. No text of it holds a value. */
export interface GuardrailFinding {
  readonly rule: GuardrailId;
  readonly severity: "error" | "warning";
  /** Address of the element: `aws_iam_role.app`, or a file and its line. */
  readonly address: string;
  /** Argument of the element; empty for the element itself. */
  readonly at: string;
  readonly found: string;
  readonly change: string;
  readonly constructPath?: string;
  /** File of the stack, where it was read from one. */
  readonly file?: string;
}

/** A finding as one line for people. */
export const guardrailText = ({ rule, address, at, found, change }: GuardrailFinding): string =>
  `${rule} ${address}${at === "" ? "" : ` ${at}`}: ${found}. ${change}`;
