import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { changeDigest, isOpenChange, readChangeRequest } from "../../contracts";
import type { Fault, Registry } from "../../model";
import { fault } from "../../model/faults";
import { renderChangeFacts } from "../documents/change-request";
import { UserFault } from "../terminal/user-fault";
import { changeFaults } from "./change-request";

/** The verdict on one file. */
export interface CheckedChange {
  readonly file: string;
  /** Digest of an approved change for the dispatcher; only of a valid one. */
  readonly digest?: string;
  /** `false`: history, which the registry may have left behind; only its form was checked. */
  readonly open: boolean;
  readonly faults: readonly Fault[];
}

/** The verdict on change requests. */
export interface ChangeCheck {
  readonly valid: boolean;
  readonly files: readonly CheckedChange[];
}

/**
 * Checks the files of change requests: form, text, names, schedule, approvers, and whether the registry still says
 * what the file says.
 *
 * @param today `2026-11-25`
 * @throws UserFault when a file cannot be read
 */
export function checkChanges(registry: Registry, files: readonly string[], today: string): ChangeCheck {
  const checked = files.map((file) => checkFile(registry, file, today));
  return { valid: checked.every(({ faults }) => faults.length === 0), files: checked };
}

/**
 * The change requests of a folder, sorted; none where there is no folder yet.
 */
export function changeFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .sort()
    .map((name) => join(folder, name));
}

function checkFile(registry: Registry, file: string, today: string): CheckedChange {
  if (!existsSync(file) || !statSync(file).isFile()) throw new UserFault(`No file at ${file}.`);
  const text = readFileSync(file, "utf8");
  const { change, parts, body, faults } = readChangeRequest(text);
  const open = parts.schedule === undefined || isOpenChange({ schedule: parts.schedule }, today);
  const all = [
    ...faults,
    ...nameFaults(file, parts.id),
    ...(change === undefined ? [] : textFaults(body, renderChangeFacts(change))),
    ...(open ? changeFaults(registry, parts) : []),
  ];
  return { file, open, faults: all, ...(all.length === 0 ? { digest: changeDigest(text) } : {}) };
}

function nameFaults(file: string, id: string | undefined): readonly Fault[] {
  const name = basename(file);
  if (id === undefined || name === `${id}.md`) return [];
  return [
    fault(["id"], JSON.stringify(id), JSON.stringify(name.replace(/\.md$/, "")), "use the file's name"),
  ];
}

/** Approvers read the text, machines the front matter: they must say the same. */
function textFaults(body: string, facts: string): readonly Fault[] {
  if (body.startsWith(facts)) return [];
  const lines = facts.split("\n");
  const found = body.split("\n");
  const different = lines.findIndex((line, index) => line !== found[index]);
  return [
    fault(
      ["text"],
      `another text than the front matter's, from line ${different + 1} below it`,
      "above the check list, what secrets-registry change new writes for this front matter",
      "undo the change of the text, or write the file again with secrets-registry change new",
    ),
  ];
}
