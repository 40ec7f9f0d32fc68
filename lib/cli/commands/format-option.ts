import { Option } from "commander";

/** Option for the format of a result; `text` by default. */
export const formatOption = (...choices: string[]): Option =>
  new Option("--format <format>", "how the result is written").choices(choices).default("text");
