import { Logger } from "@aws-lambda-powertools/logger";

/** Fields of one line. */
type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Log of a function, one JSON object a line. */
export interface JsonLog {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/**
 * A log by Powertools' logger.
 *
 * @param fixed fields of every line
 * @param redact takes secret texts out of each text. Default: the function handles names, counts and codes alone
 */
export function jsonLog(serviceName: string, fixed: Fields, redact?: (text: string) => string): JsonLog {
  const logger = new Logger({
    serviceName,
    persistentKeys: { ...fixed },
    ...(redact
      ? {
          jsonReplacerFn: (_key: string, value: unknown) =>
            typeof value === "string" ? redact(value) : value,
        }
      : {}),
  });
  return {
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    warn: (message, fields = {}) => logger.warn(message, { ...fields }),
    error: (message, fields = {}) => logger.error(message, { ...fields }),
  };
}
