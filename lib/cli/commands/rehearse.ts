import type { Command } from "commander";
import { UserFault } from "../terminal/user-fault";
import type { CommandHost } from "./command-host";

/** Package with the rehearsal: its servers are no part of what applications install. */
const REHEARSAL_PACKAGE = "cdktf-secrets-registry-rehearsal";

/** Adds commands to a program. */
type AddCommand<H extends CommandHost> = (program: Command, host: H) => void;

/**
 * Adds `rehearse` of the rehearsal's package, where that is installed; else one that says how to install it. The package is
 * loaded for its own command only: it brings clients of a dozen AWS services.
 *
 * @param args the command line's arguments
 */
export const rehearsalCommand =
  <H extends CommandHost>(args: readonly string[]): AddCommand<H> =>
  (program, host) => {
    const add = args.includes("rehearse") ? installedCommand<H>() : undefined;
    if (add) add(program, host);
    else {
      program
        .command("rehearse")
        .description("Rehearses an environment on this machine (a package of its own, see its --help)")
        .allowUnknownOption()
        .allowExcessArguments()
        .addHelpText("after", `\nIt comes with: npm install --save-dev ${REHEARSAL_PACKAGE}`)
        .action(() => {
          throw new UserFault(
            `The rehearsal is a package of its own. Install it beside this one: npm install --save-dev ${REHEARSAL_PACKAGE}`,
          );
        });
    }
  };

function installedCommand<H extends CommandHost>(): AddCommand<H> | undefined {
  let file: string;
  try {
    file = require.resolve(REHEARSAL_PACKAGE, { paths: [process.cwd(), __dirname] });
  } catch {
    return undefined;
  }
  return (require(file) as { readonly addRehearseCommand: AddCommand<H> }).addRehearseCommand;
}
