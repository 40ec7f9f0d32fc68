import { Logger } from "@aws-lambda-powertools/logger";
import type { Logbook, LogFields } from "../protocol/ports";
import type { Redaction } from "../protocol/redaction";

/** {@link Logbook} with Powertools' logger: one JSON object a line, every text in it redacted. */
export class PowertoolsLogbook implements Logbook {
  readonly #logger: Logger;

  /** @param fixed fields of every line */
  constructor(serviceName: string, redaction: Redaction, fixed: LogFields) {
    this.#logger = new Logger({
      serviceName,
      persistentKeys: { ...fixed },
      jsonReplacerFn: (_key, value: unknown) => (typeof value === "string" ? redaction.redact(value) : value),
    });
  }

  info(message: string, fields: LogFields = {}): void {
    this.#logger.info(message, { ...fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#logger.warn(message, { ...fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.#logger.error(message, { ...fields });
  }
}
