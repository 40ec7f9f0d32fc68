/** Input and output of a program: the one place, so that tests and other hosts can take it. */
export interface Terminal {
  /** The result. */
  out(text: string): void;
  /** Progress, warnings and errors. */
  err(text: string): void;
  /** `true` when a person is there, who sees `err` and answers questions. */
  readonly interactive: boolean;
  /** Stream of `err`, when lines there can be drawn anew. Default: they cannot, as in a log. */
  readonly live?: NodeJS.WriteStream | undefined;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Asks the person for one line. `hidden`: what is typed is not shown. */
  ask(question: string, options: { readonly hidden: boolean }): Promise<string>;
}
