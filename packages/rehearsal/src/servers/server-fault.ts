/**
 * An embedded server could not be installed, started or stopped. The message names the server, says what was
 * found and what to change; a start that failed ends with the tail of the server's log.
 */
export class ServerFault extends Error {
  override readonly name: string = "ServerFault";
}

/** The port was free when it was picked and taken when the server bound it: worth another try with another port. */
export class PortTakenFault extends ServerFault {
  override readonly name = "PortTakenFault";
}

/** Called, in whole sentences, with what takes long: installing, waiting for another process. */
export type ReportProgress = (message: string) => void;
