import { parseDocument } from "yaml";
import * as z from "zod/mini";
import { person, tagText } from "../model/aws-grammar";
import { digestOf } from "../model/canonical-json";
import { check } from "../model/check";
import { credentialFaults, looksLikeCredential } from "../model/credentials";
import { type Fault, fault } from "../model/faults";
import { calendarDate, oneLine, secretKey, slug } from "../model/grammar";
import { keyAsWord } from "../model/names";
import { changeId } from "./change-id";

/**
 * A change request: the front matter of `security/change-requests/<id>.md`. It holds what people ask for, and what the
 * registry said of it when they did; the text below the front matter says the same for readers.
 */

const count = z.int().check(z.gte(0));

/** The registry's facts of the secret in one environment. */
const factsSchema = z.strictObject({
  mode: z.enum(["automatic", "operator-assisted", "manual-dual-publish"]),
  approval: z.enum(["required", "none"]),
  regions: z.array(z.string()),
  vaults: z.array(z.string()),
  consumers: z.array(
    z.strictObject({
      workload: z.string(),
      namespace: z.string(),
      serviceAccount: z.string(),
      clusters: z.array(z.string()),
      files: z.array(z.string()),
      reload: z.string(),
    }),
  ),
  dependents: z.array(z.string()),
  publishLeadHours: count,
  overlapHours: count,
  checks: z.array(
    z.strictObject({
      workload: z.string(),
      name: z.string(),
      type: z.enum(["health", "synthetic"]),
      url: z.string(),
      status: count,
      contains: z.optional(z.string()),
    }),
  ),
  unwatched: z.array(z.string()),
  breaks: z.string(),
  rollback: z.string(),
});

const changeRequestSchema = z.strictObject({
  /** `<date>-<key as one word>`, the file's name. */
  id: changeId,
  secret: secretKey,
  owner: tagText,
  /** E-mail address or ARN of who asks. */
  requester: person,
  /** E-mail addresses or ARNs of who may approve; never the requester. */
  approvers: z.array(person),
  reason: oneLine,
  /** Day of the rotation by environment. */
  schedule: z.record(slug, calendarDate).check(
    z.refine((days) => Object.keys(days).length > 0, {
      params: { allowed: "a day for at least one environment", change: "add one, such as dev: 2026-12-01" },
      message: "schedule",
    }),
  ),
  /** Facts by environment, the same ones as in the schedule. */
  environments: z.record(slug, factsSchema),
});

/** A change request as its front matter holds it. */
export type ChangeRequest = z.output<typeof changeRequestSchema>;

/** The registry's facts of the secret in one environment, as of the day on which the change was asked for. */
export type ChangeFacts = z.output<typeof factsSchema>;

/** Result of reading a file. */
export interface ChangeReading {
  /** `undefined` while there are faults. */
  readonly change: ChangeRequest | undefined;
  /** The valid parts, for further rules: one fault does not hide another. */
  readonly parts: Partial<ChangeRequest>;
  /** Text below the front matter. */
  readonly body: string;
  readonly faults: readonly Fault[];
}

/** Folder of change requests, from the repository's root. */
export const CHANGE_REQUESTS = "security/change-requests";

/** Days after its last scheduled day in which a change may still be carried out. */
const OPEN_DAYS = 30;

/** Reads the text of a change request's file; never throws. */
export function readChangeRequest(text: string): ChangeReading {
  const [, yaml, body = ""] = FRONT_MATTER.exec(withUnixEnds(text)) ?? [];
  if (yaml === undefined) {
    return unreadable("no front matter", "YAML between two lines of --- at the file's beginning");
  }
  const document = parseDocument(yaml);
  const [error] = document.errors;
  if (error) {
    const line = (error.linePos?.[0].line ?? 0) + 1;
    return unreadable(`YAML that is not well formed at line ${line} (${error.code})`, "well-formed YAML");
  }
  try {
    // Aliases can make very much out of very little, and nothing here needs one.
    return { ...readParts(document.toJS({ maxAliasCount: 0 }), body), body };
  } catch {
    return unreadable("YAML with aliases", "YAML without aliases");
  }
}

const FRONT_MATTER = /^---\n([\s\S]*?\n)---\n([\s\S]*)$/;

/** Checkouts on Windows may have other line ends. */
const withUnixEnds = (text: string): string => text.replaceAll("\r\n", "\n");

const unreadable = (found: string, allowed: string): ChangeReading => ({
  change: undefined,
  parts: {},
  body: "",
  faults: [fault(["frontMatter"], found, allowed, "write the file with secrets-registry change new")],
});

function readParts(data: unknown, body: string): Omit<ChangeReading, "body"> {
  const fields = typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
  const faults: Fault[] = [...credentialFaults(fields, [])];
  if (looksLikeCredential(body)) {
    faults.push(
      fault(
        ["text"],
        "a text that looks like a credential (not shown)",
        "no secret value: a change request describes a change, it does not hold values",
        "remove it, and rotate that credential: it has been in a file",
      ),
    );
  }
  const parts: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(changeRequestSchema.shape)) {
    const result = check<unknown>(schema, fields[name], [name]);
    faults.push(...result.faults);
    if (result.faults.length === 0) parts[name] = result.value;
  }
  for (const name of Object.keys(fields)) {
    if (name in changeRequestSchema.shape) continue;
    faults.push(
      fault(
        [name],
        "a part that does not exist",
        `one of ${Object.keys(changeRequestSchema.shape).join(", ")}`,
        "remove it, or correct its spelling",
      ),
    );
  }
  faults.push(...ownFaults(parts));
  return { change: faults.length === 0 ? (parts as ChangeRequest) : undefined, parts, faults };
}

/** Rules that need no registry. */
function ownFaults({
  id,
  secret,
  requester,
  approvers = [],
  schedule,
  environments,
}: Partial<ChangeRequest>) {
  const faults: Fault[] = [];
  for (const [index, approver] of approvers.entries()) {
    if (requester !== undefined && isSamePerson(requester, approver)) {
      faults.push(
        fault(
          ["approvers", index],
          `${approver}, who is the requester`,
          "approvers other than the requester",
          "let somebody else approve",
        ),
      );
    }
  }
  const word = secret === undefined ? undefined : keyAsWord(secret);
  if (id !== undefined && word !== undefined && id.slice(11) !== word) {
    faults.push(
      fault(["id"], JSON.stringify(id), `${id.slice(0, 10)}-${word}, for ${secret}`, "use the secret's key"),
    );
  }
  if (schedule !== undefined && environments !== undefined) {
    for (const name of Object.keys({ ...schedule, ...environments })) {
      if (name in schedule && name in environments) continue;
      faults.push(
        fault(
          name in schedule ? ["environments", name] : ["schedule", name],
          "nothing",
          "the same environments in schedule and environments",
          "write the file again with secrets-registry change new",
        ),
      );
    }
  }
  return faults;
}

/** `true` when two names are one person's: e-mail addresses regardless of case, ARNs as they are. */
export const isSamePerson = (a: string, b: string): boolean =>
  a.startsWith("arn:") || b.startsWith("arn:") ? a === b : a.toLowerCase() === b.toLowerCase();

/**
 * Digest of a change request's canonical content: its front matter as data. Line ends, layout, comments and the text
 * below (check marks, sign-offs) do not count; every fact that somebody approved does.
 *
 * @returns `sha256:<hex>`
 * @throws ChangeRequestError when the file is no valid change request
 */
export function changeDigest(text: string): string {
  const { change, faults } = readChangeRequest(text);
  if (change === undefined) throw new ChangeRequestError(faults);
  return digestOf(change);
}

/** A file that is no valid change request. */
export class ChangeRequestError extends Error {
  override readonly name = "ChangeRequestError";

  constructor(readonly faults: readonly Fault[]) {
    super(`Not a valid change request: ${faults.map(({ path, found }) => `${path}: ${found}`).join("; ")}.`);
  }
}

/**
 * `true` while a change may be carried out: until 30 days after its last scheduled day. What is older is history, which
 * the registry may have left behind.
 *
 * @param today `2026-11-25`
 */
export function isOpenChange({ schedule }: Pick<ChangeRequest, "schedule">, today: string): boolean {
  return Object.keys(schedule).length === 0 || today <= changeUntil({ schedule });
}

/** Last day on which a change may be carried out, `2026-12-31`. */
export function changeUntil({ schedule }: Pick<ChangeRequest, "schedule">): string {
  const end = new Date(`${Object.values(schedule).sort().at(-1)}T00:00:00Z`);
  end.setUTCDate(end.getUTCDate() + OPEN_DAYS);
  return end.toISOString().slice(0, 10);
}
