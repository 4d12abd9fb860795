import type { Readable } from "node:stream";
import type { JobLog } from "../../worker/types.js";
import type { TargetContext, TargetJob } from "../types.js";
import { containerName, creation, imageName } from "./create.js";
import type { Engine, Inspected } from "./engine.js";
import { asFailure, ContainerFailure, EngineError } from "./failure.js";
import type { ImageReference } from "./images.js";
import type { ContainerSpec } from "./schema.js";

/** A container that was started. */
export interface Launched {
  readonly container: Inspected;
  /** What it writes, where it was started just now. */
  readonly output?: Readable;
}

type LaunchContext = Pick<TargetContext, "signal" | "log">;

/** Sees to it that a job has a container. */
export class Launcher {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * The container of this job, started: one that an earlier attempt left, or a new one.
   *
   * @throws ContainerFailure
   */
  async obtain(
    spec: ContainerSpec,
    image: ImageReference,
    job: TargetJob,
    context: LaunchContext,
  ): Promise<Launched> {
    const { log } = context;
    const left = await this.#engine.inspect(containerName(job));
    if (left !== undefined && left.State.Status !== "created") {
      log.info("found the container of an earlier attempt", { container: left.Id.slice(0, 12) });
      return { container: left };
    }
    // One that was never started did nothing.
    if (left !== undefined) await this.#engine.remove(left.Id);
    if (spec.pull === "always") await this.#pull(image, context);
    const id = await this.#create(spec, image, job, context);
    const output = await this.#start(id, context);
    log.info("the container has started", { container: id.slice(0, 12), image: imageName(image) });
    const container = await this.#engine.inspect(id);
    if (container !== undefined) return { container, output };
    throw new ContainerFailure("engine", "the container was removed by somebody else");
  }

  async #start(id: string, { signal, log }: LaunchContext): Promise<Readable> {
    let output: Readable | undefined;
    try {
      output = await this.#engine.attach(id);
      if (signal.aborted) throw new ContainerFailure("aborted", "the job was aborted in time");
      await this.#engine.start(id);
      return output;
    } catch (error) {
      output?.on("error", () => undefined).destroy();
      await removeOrWarn(this.#engine, id, log);
      throw asFailure(error, "start");
    }
  }

  async #create(
    spec: ContainerSpec,
    image: ImageReference,
    job: TargetJob,
    context: LaunchContext,
  ): Promise<string> {
    const create = () => this.#engine.create(containerName(job), creation(spec, image, job));
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof EngineError && error.status === 404)) throw asFailure(error, "start");
      if (spec.pull === "never" || spec.pull === "always") throw asFailure(error, "image");
    }
    await this.#pull(image, context);
    try {
      return await create();
    } catch (error) {
      throw asFailure(error, "start");
    }
  }

  async #pull(image: ImageReference, { signal, log }: LaunchContext): Promise<void> {
    log.info("pulling the image", { image: imageName(image) });
    try {
      await this.#engine.pull(image, signal);
    } catch (error) {
      throw asFailure(error, "image");
    }
  }
}

/** Removes a container; that it stays is no reason to fail, for the sweep comes by. */
export async function removeOrWarn(engine: Engine, id: string, log: JobLog): Promise<void> {
  try {
    await engine.remove(id);
  } catch (error) {
    log.warn("the container could not be removed", { container: id, error: String(error) });
  }
}
