/** The rehearsal as the command line of `cdktf-secrets-registry` finds it, where this package is installed beside it. */
export { addRehearseCommand } from "./command";
