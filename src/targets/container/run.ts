import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { JobAborted } from "../../worker/abort.js";
import { failed } from "../outcome.js";
import type { Outcome, TargetContext } from "../types.js";
import { DEFAULT_TIMEOUT_SECONDS } from "./create.js";
import type { Engine } from "./engine.js";
import { EngineError } from "./failure.js";
import { type Launched, removeOrWarn } from "./launch.js";
import { type Cut, outcomeOf } from "./outcome.js";
import { OutputCopy } from "./output.js";
import type { ContainerSpec } from "./schema.js";

/** Seconds between the signal that asks to stop and SIGKILL. */
const GRACE_SECONDS = 2;
/** How long the engine may take to end a container that it was told to. */
const STOP_LIMIT_MS = 30_000;
/** How long the log may take, after the container's end, to store the rest of its output. */
const DRAIN_LIMIT_MS = 60_000;
const RETRY_ENGINE_MS = 500;

/** One container from its start, or from where it was found, to its end. */
export class ContainerRun {
  readonly #engine: Engine;
  readonly #launched: Launched;
  readonly #spec: ContainerSpec;
  readonly #context: TargetContext;
  readonly #output: OutputCopy;
  /** Aborted when the end is waited for no longer. */
  readonly #over = new AbortController();
  #cut: Cut | undefined;
  #left = false;
  /** Whether the engine was gone for a while, and what was attached to it with it. */
  #disrupted = false;
  #stopping: Promise<void> | undefined;

  constructor(engine: Engine, launched: Launched, spec: ContainerSpec, context: TargetContext) {
    this.#engine = engine;
    this.#launched = launched;
    this.#spec = spec;
    this.#context = context;
    this.#output = new OutputCopy(context.log);
  }

  /** Follows it to its end, and removes it. */
  async outcome(): Promise<Outcome> {
    const { signal } = this.#context;
    const onAbort = () => this.#onAbort();
    const deadline = setTimeout(() => this.#stop("timeout"), this.#timeLeft());
    signal.addEventListener("abort", onAbort);
    const reading = new AbortController();
    const output = this.#copyOutput(reading.signal, this.#launched.output);
    try {
      if (signal.aborted) onAbort();
      await this.#ended();
      if (this.#left) {
        const message = "the container goes on without this dispatcher";
        return failed({ class: "aborted", message });
      }
      await this.#stopping;
      await this.#drained(output);
      if (this.#disrupted) await this.#drained(this.#copyOutput(reading.signal));
      return await this.#settle();
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener("abort", onAbort);
      this.#over.abort();
      reading.abort();
      await output;
    }
  }

  get #id(): string {
    return this.#launched.container.Id;
  }

  /** Milliseconds it may still run. */
  #timeLeft(): number {
    const { Running, StartedAt } = this.#launched.container.State;
    const whole = (this.#spec.timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000;
    // The engine's clock may be another machine's: it can only shorten the time.
    const left = Math.min(whole, Math.max(0, Date.parse(StartedAt) + whole - Date.now()));
    return Running ? left : whole;
  }

  #onAbort(): void {
    const reason: unknown = this.#context.signal.reason;
    const why = reason instanceof JobAborted ? reason.why : "canceled";
    if (why !== "shutdown" && why !== "lease_lost") {
      this.#stop("aborted");
      return;
    }
    // Another dispatcher, or this one after its restart, takes it up where it is.
    this.#left = true;
    this.#over.abort();
  }

  /** The first reason counts. */
  #stop(why: Cut): void {
    if (!this.#left) this.#stopping ??= this.#cutShort(why);
  }

  async #cutShort(why: Cut): Promise<void> {
    this.#cut = why;
    const limit = setTimeout(() => this.#over.abort(), STOP_LIMIT_MS);
    this.#over.signal.addEventListener("abort", () => clearTimeout(limit));
    try {
      // What had ended by itself was not cut.
      if (!(await this.#engine.stop(this.#id, GRACE_SECONDS))) this.#cut = undefined;
    } catch (error) {
      this.#context.log.warn("the container could not be stopped", { error: String(error) });
    }
  }

  /** Waits for the end, through restarts of the engine. */
  async #ended(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        await this.#engine.wait(this.#id, signal);
        return;
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) return;
        this.#disrupted = !signal.aborted;
        await sleep(RETRY_ENGINE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #copyOutput(signal: AbortSignal, attached?: Readable): Promise<void> {
    const { log } = this.#context;
    try {
      const output = attached ?? (await this.#engine.logs(this.#id, signal));
      signal.addEventListener("abort", () => output.destroy());
      await this.#output.copy(output);
    } catch (error) {
      if (signal.aborted || this.#disrupted) return;
      log.warn("the rest of the container's output could not be read", { error: String(error) });
    }
  }

  async #drained(output: Promise<void>): Promise<void> {
    const enough = new AbortController();
    const late = sleep(DRAIN_LIMIT_MS, true, { signal: enough.signal }).catch(() => false);
    const gaveUp = await Promise.race([output.then(() => false), late]);
    enough.abort();
    if (gaveUp) this.#context.log.warn("the rest of the container's output took too long");
  }

  async #settle(): Promise<Outcome> {
    const found = await this.#engine.inspect(this.#id);
    await removeOrWarn(this.#engine, this.#id, this.#context.log);
    if (found !== undefined) return outcomeOf(found, this.#spec, this.#cut);
    return failed({ class: "engine", message: "the container was removed by somebody else" });
  }
}
