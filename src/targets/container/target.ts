import { failed } from "../outcome.js";
import type { Outcome, Target, TargetContext, TargetJob } from "../types.js";
import type { ContainerConfig } from "./config.js";
import { KEY_LABEL, TIMEOUT_LABEL } from "./create.js";
import { Engine, type Inspected } from "./engine.js";
import { asFailure, ContainerFailure } from "./failure.js";
import { type ImageReference, parseImage } from "./images.js";
import { Launcher } from "./launch.js";
import { ContainerRun } from "./run.js";
import { ContainerSpec } from "./schema.js";

/** How long a container that nobody came back for is kept after its end, or its time. */
const ORPHANED_MS = 3_600_000;

/** Failures that are the engine's, or its registry's. */
const BROKEN = new Set(["engine", "image"]);

/** Runs containers on a Docker engine. */
export class ContainerTarget implements Target<ContainerSpec> {
  readonly type = "container";
  readonly schema = ContainerSpec;
  readonly #config: ContainerConfig;
  readonly #engine: Engine;
  readonly #launcher: Launcher;

  constructor(config: ContainerConfig) {
    this.#config = config;
    this.#engine = new Engine(config.socketPath);
    this.#launcher = new Launcher(this.#engine);
  }

  breakerKey({ image }: ContainerSpec): string {
    return `container ${image}`;
  }

  async run(spec: ContainerSpec, job: TargetJob, context: TargetContext): Promise<Outcome> {
    try {
      const image = this.#allowed(spec, job);
      const launched = await this.#launcher.obtain(spec, image, job, context);
      return await new ContainerRun(this.#engine, launched, spec, context).outcome();
    } catch (error) {
      const { class: kind, message } = asFailure(error, "engine");
      const retryable = kind !== "refused_image" && kind !== "refused_network";
      return failed({ class: kind, message }, { retryable, broken: BROKEN.has(kind) });
    }
  }

  /**
   * Removes what nobody came back for: containers that ended, or should have, an hour ago.
   *
   * @param now milliseconds since the epoch
   * @returns how many
   */
  async sweep(now = Date.now()): Promise<number> {
    let removed = 0;
    for (const id of await this.#engine.list(KEY_LABEL)) {
      const found = await this.#engine.inspect(id);
      if (found === undefined || now < overAt(found) + ORPHANED_MS) continue;
      await this.#engine.remove(id);
      removed += 1;
    }
    return removed;
  }

  #allowed(spec: ContainerSpec, { appId }: TargetJob): ImageReference {
    const image = parseImage(spec.image);
    if (image === undefined || !this.#config.images.allows(appId, image)) {
      const message = `CARILLON_CONTAINER_IMAGES does not allow the app to run ${spec.image}`;
      throw new ContainerFailure("refused_image", message);
    }
    const network = spec.network ?? "none";
    if (network !== "none" && !this.#config.networks.has(network)) {
      const message = `CARILLON_CONTAINER_NETWORKS does not allow the network ${network}`;
      throw new ContainerFailure("refused_network", message);
    }
    return image;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
  }
}

/** When a container ended, or has to have ended: milliseconds since the epoch. */
function overAt({ Config, Created, State }: Inspected): number {
  if (State.Status === "created") return Date.parse(Created);
  if (!State.Running) return Date.parse(State.FinishedAt);
  return Date.parse(State.StartedAt) + Number(Config.Labels[TIMEOUT_LABEL] ?? 3600) * 1000;
}
