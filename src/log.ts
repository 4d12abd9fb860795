import { pino } from "pino";

/** What Carillon needs of a logger; pino's loggers fit. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger whose lines carry these fields, too; made here where it is absent. */
  child?(fields: object): Logger;
}

/** A logger whose lines carry these fields, too. */
export function childLogger(logger: Logger, fields: object): Logger {
  if (logger.child !== undefined) return logger.child(fields);
  const at = (level: "debug" | "info" | "warn" | "error") => (more: object, message: string) =>
    logger[level]({ ...fields, ...more }, message);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A logger that writes JSON lines to stderr, so that stdout stays the program's own. */
export function createLogger(level = "info"): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
}
