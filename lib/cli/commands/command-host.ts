import type { Registry } from "../../model";

/** Needs of a group of commands from the program that it is part of. */
export interface CommandHost {
  /** Loads the registry that `--registry` names. */
  load(): Promise<Registry>;
  /** Prints a result and a line's end. */
  print(text: string): void;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** A check ran and failed: the program ends with 1. */
  failCheck(): void;
  /** The registry, or the call, is at fault: the program ends with 2. */
  failRegistry(): void;
}
