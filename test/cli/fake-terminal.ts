import type { Terminal } from "../../lib/cli/program";

/** A terminal without a person, or with one who answers from a list. */
export class FakeTerminal implements Terminal {
  /** Standard output. */
  printed = "";
  /** Standard error. */
  told = "";
  /** Questions that were asked, and whether the answers were hidden. */
  readonly asked: { readonly question: string; readonly hidden: boolean }[] = [];
  readonly interactive: boolean;
  readonly #input: string;
  readonly #answers: string[];

  constructor({ input = "", answers }: { input?: string; answers?: readonly string[] } = {}) {
    this.#input = input;
    this.interactive = answers !== undefined;
    this.#answers = [...(answers ?? [])];
  }

  out(text: string): void {
    this.printed += text;
  }

  err(text: string): void {
    this.told += text;
  }

  async readInput(): Promise<string> {
    return this.#input;
  }

  async ask(question: string, { hidden }: { readonly hidden: boolean }): Promise<string> {
    this.asked.push({ question, hidden });
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`nobody answers ${question}`);
    return answer;
  }
}
