import type { Command } from "commander";
import { RegistryError } from "../../model";
import { type Format, renderValidate } from "../render/results";
import { invalid, validate } from "../verbs/validate";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

/** `validate`. */
export function addValidateCommand(program: Command, host: CommandHost): void {
  program
    .command("validate")
    .description("Checks the registry, all faults at once")
    .addOption(formatOption("text", "json"))
    .action(async ({ format }: { format: Format }) => {
      const result = await validated(host);
      host.print(renderValidate(result, format));
      if (!result.valid) host.failRegistry();
    });
}

async function validated(host: CommandHost): Promise<ReturnType<typeof validate>> {
  try {
    return validate(await host.load());
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return invalid(error.faults);
  }
}

/** By name: the registry may come from another copy of this package. */
const isRegistryError = (error: unknown): error is RegistryError =>
  error instanceof Error && error.name === RegistryError.name && "faults" in error;
