import { type InboxSecret, RotationError, suppliedFields } from "../../rotation";
import type { Terminal } from "../terminal/terminal";
import { UserFault } from "../terminal/user-fault";

/** Fields that an operator is asked for, as a line of help: `{"username": …, "password": …}`. */
export const suppliedForm = (secret: InboxSecret): string =>
  `{${suppliedFields(secret)
    .map(({ name, required }) => `"${name}"${required ? "" : "?"}: …`)
    .join(", ")}}`;

/**
 * The JSON on standard input.
 *
 * @throws UserFault that quotes nothing of it
 */
export async function readJson(terminal: Terminal, form: string): Promise<unknown> {
  const text = await terminal.readInput();
  if (text.trim() === "") {
    throw new UserFault(`Standard input is empty. It must hold ${form} as JSON.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new UserFault(`Standard input is not JSON. It must hold ${form}.`);
  }
}

/** Asks a person for each field. What is left empty is left out. */
export async function askFields(
  terminal: Terminal,
  key: string,
  secret: InboxSecret,
): Promise<Readonly<Record<string, string>>> {
  const given: [string, string][] = [];
  for (const { name, required, hidden } of suppliedFields(secret)) {
    const notes = [...(required ? [] : ["may be empty"]), ...(hidden ? ["not shown"] : [])];
    const note = notes.length > 0 ? ` (${notes.join(", ")})` : "";
    const answer = await terminal.ask(`${key}, ${name}${note}: `, { hidden });
    if (answer !== "") given.push([name, answer]);
  }
  return Object.fromEntries(given);
}

/** Fault of a supplied value, by the names of its fields. */
export function faultOfSupplied(key: string, secret: InboxSecret, failure: unknown): string {
  if (!(failure instanceof RotationError)) throw failure;
  return `${key}: ${failure.message} Its form: ${suppliedForm(secret)}.`;
}
