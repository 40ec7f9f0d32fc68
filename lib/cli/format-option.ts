import { Option } from "commander";

/** How a result is written; `text` unless told otherwise. */
export const formatOption = (...choices: string[]): Option =>
  new Option("--format <format>", "how the result is written").choices(choices).default("text");
