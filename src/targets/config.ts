import { CarillonError } from "../errors.js";
import { type ContainerConfig, readContainerConfig } from "./container/config.js";
import { type FaktoryInstance, readFaktoryInstances } from "./faktory/instances.js";
import { AllowList } from "./http/allow.js";

/** What the operator lets targets do. */
export interface TargetsConfig {
  readonly httpAllow: AllowList;
  readonly faktory: ReadonlyMap<string, FaktoryInstance>;
  /** Undefined where containers are off. */
  readonly containers: ContainerConfig | undefined;
  /** When circuit breakers open, for apps without a rule of their own. */
  readonly breaker: BreakerConfig;
}

export interface BreakerConfig {
  /** After so many failures in a row; 0 is never. */
  readonly failures: number;
  /** Seconds until one call probes. */
  readonly coolDown: number;
}

/**
 * Reads the variables that docs/targets.md names.
 *
 * @throws CarillonError `invalid_config`
 */
export function readTargetsConfig(env: NodeJS.ProcessEnv = process.env): TargetsConfig {
  return Object.freeze({
    httpAllow: new AllowList(env.CARILLON_HTTP_ALLOW),
    faktory: readFaktoryInstances(env),
    containers: readContainerConfig(env),
    breaker: {
      failures: wholeNumber(env, "CARILLON_BREAKER_FAILURES", 0, 1000, 0),
      coolDown: wholeNumber(env, "CARILLON_BREAKER_COOL_DOWN", 1, 86_400, 60),
    },
  });
}

function wholeNumber(
  env: NodeJS.ProcessEnv,
  variable: string,
  least: number,
  most: number,
  usual: number,
): number {
  const text = env[variable]?.trim() ?? "";
  if (text === "") return usual;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const message = `must be a whole number from ${least} to ${most}`;
  throw new CarillonError("invalid_config", `${variable} ${message}`, {
    fields: [{ field: variable, message }],
  });
}
