import { type ContainerConfig, readContainerConfig } from "./container/config.js";
import { type FaktoryInstance, readFaktoryInstances } from "./faktory/instances.js";
import { AllowList } from "./http/allow.js";

/** What the operator lets targets do. */
export interface TargetsConfig {
  readonly httpAllow: AllowList;
  readonly faktory: ReadonlyMap<string, FaktoryInstance>;
  /** Undefined where containers are off. */
  readonly containers: ContainerConfig | undefined;
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
  });
}
