import { agentCall } from "./agent/request.js";
import type { TargetsConfig } from "./config.js";
import { ContainerTarget } from "./container/target.js";
import { FaktoryTarget } from "./faktory/target.js";
import { HttpTarget } from "./http/target.js";
import { failed } from "./outcome.js";
import type { TargetSpec } from "./schema.js";
import type { Outcome, TargetContext, TargetJob } from "./types.js";

/** Every kind of target there is, as one dispatcher has them. */
export class Targets implements AsyncDisposable {
  readonly http: HttpTarget;
  readonly faktory: FaktoryTarget;
  /** Undefined where containers are off. */
  readonly container: ContainerTarget | undefined;

  /** @param version Carillon's, for the User-Agent */
  constructor(config: TargetsConfig, version: string) {
    this.http = new HttpTarget({ allow: config.httpAllow, version });
    this.faktory = new FaktoryTarget(config.faktory);
    this.container =
      config.containers === undefined ? undefined : new ContainerTarget(config.containers);
  }

  /** Runs one attempt where the spec says. Never rejects. */
  run(spec: TargetSpec, job: TargetJob, context: TargetContext): Promise<Outcome> {
    switch (spec.type) {
      case "http":
        return this.http.run(spec, job, context);
      case "agent":
        return this.http.run(agentCall(spec, job), job, context);
      case "faktory":
        return this.faktory.run(spec, job, context);
      case "container":
        return this.container?.run(spec, job, context) ?? Promise.resolve(CONTAINERS_OFF);
    }
  }

  /** What breaks together: an app's attempts with the same key share a circuit breaker. */
  breakerKey(spec: TargetSpec): string {
    switch (spec.type) {
      case "http":
      case "agent":
        return this.http.breakerKey(spec);
      case "faktory":
        return this.faktory.breakerKey(spec);
      case "container":
        return this.container?.breakerKey(spec) ?? "container";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http[Symbol.asyncDispose]();
    await this.faktory[Symbol.asyncDispose]();
    await this.container?.[Symbol.asyncDispose]();
  }
}

const CONTAINERS_OFF = failed(
  { class: "off", message: "containers are off; CARILLON_CONTAINER_SOCKET names an engine" },
  { retryable: false },
);
