import { CarillonError } from "../errors.js";
import { resolveOptions, type ServeOptions, type WorkerConfig } from "./options.js";
import { createRoute } from "./router.js";
import { isStandardSchema } from "./standard-schema.js";
import type { Hooks, Worker } from "./types.js";
import { QueueWorker } from "./worker.js";

export type { ServeOptions } from "./options.js";
export type { Hooks, Worker } from "./types.js";

const HOOKS = ["onJob", "onAgent", "onStart", "onShutdown"] as const;

/** What this process serves, as database and app. */
const served = new Set<string>();

/**
 * Starts a worker: it takes the app's jobs from the queue and runs `onJob` for each. A returned
 * value completes the job, a throw fails it; both are kept. It starts in the background, waits for
 * the database where that is not there yet, and survives its restarts.
 *
 * Options not given come from the environment (`DATABASE_URL`, `CARILLON_APP`, …). On SIGTERM or
 * SIGINT it stops in order and lets the process end; a second signal stops the waiting.
 *
 * @example
 * serve({}, {
 *   onJob: async (payload, caller, ctx) => {
 *     ctx.log.info(`checking for ${caller?.username}`);
 *     return { checked: true };
 *   },
 * });
 *
 * @example
 * const worker = serve({ app: "crm", concurrency: 50 }, { onJob: { remind, clean_up } });
 * await worker.ready;
 *
 * @throws CarillonError `invalid_config` for wrong options or hooks, and where this process already
 *   serves the app on this database
 */
export function serve<Checked = Record<string, unknown>>(
  options: ServeOptions,
  hooks: Hooks<Checked>,
): Worker;
/** The same, with options and hooks in one object. */
export function serve<Checked = Record<string, unknown>>(
  all: ServeOptions & Hooks<Checked>,
): Worker;
export function serve(first: ServeOptions & Hooks, second?: Hooks): Worker {
  const { options, hooks } = second === undefined ? split(first) : both(first, second);
  checkHooks(hooks);
  const config = resolveOptions(options);
  const release = register(config);
  const worker = new QueueWorker(config, { ...hooks, route: createRoute(hooks) });
  const unhook = config.signals ? stopOnSignals(worker) : () => undefined;
  void worker.stopped.then(() => {
    unhook();
    release();
    // The process is the worker's own where its signals are: it must not end as if all were well.
    if (worker.startFailed && config.signals) process.exitCode ??= 1;
  });
  return worker;
}

function split(all: ServeOptions & Hooks): { options: ServeOptions; hooks: Hooks } {
  checkObject(all, "serve() takes an object");
  const { onJob, onAgent, onStart, onShutdown, ...options } = all;
  const given = { onJob, onAgent, onStart, onShutdown };
  const hooks: Hooks = Object.fromEntries(
    Object.entries(given).filter(([, hook]) => hook !== undefined),
  );
  return { options, hooks };
}

function both(options: ServeOptions, hooks: Hooks): { options: ServeOptions; hooks: Hooks } {
  checkObject(options, "the first argument of serve() is an object of options");
  checkObject(hooks, "the second argument of serve() is an object of hooks");
  const misplaced = HOOKS.filter((name) => name in options);
  if (misplaced.length > 0) {
    throw new CarillonError(
      "invalid_config",
      `${misplaced.join(", ")} belongs in the second argument of serve()`,
      { hint: "serve({}, { onJob: async (payload, caller, ctx) => { … } })" },
    );
  }
  const unknown = Object.keys(hooks).filter((key) => !HOOKS.some((name) => name === key));
  if (unknown.length > 0) {
    throw new CarillonError(
      "invalid_config",
      `${unknown.join(", ")}: not a hook of serve(); there are ${HOOKS.join(", ")}`,
    );
  }
  return { options, hooks };
}

function checkHooks(hooks: Hooks): void {
  const { onJob, onAgent, onStart, onShutdown } = hooks;
  if (onJob === undefined && onAgent === undefined) {
    throw new CarillonError("invalid_config", "serve() needs onJob (or onAgent)", {
      hint: "serve({}, { onJob: async (payload, caller, ctx) => { … } })",
    });
  }
  for (const [name, hook] of Object.entries({ onAgent, onStart, onShutdown })) {
    if (hook !== undefined && typeof hook !== "function") {
      throw new CarillonError("invalid_config", `${name} must be a function`);
    }
  }
  if (onJob === undefined || typeof onJob === "function") return;
  checkObject(onJob, "onJob must be a function, or an object of functions by payload.method");
  const entries = Object.entries(onJob as Record<string, unknown>);
  const faults = entries.flatMap(([method, entry]) => entryFault(method, entry));
  if (entries.length === 0) faults.push("onJob is a map without any method");
  if (faults.length > 0) throw new CarillonError("invalid_config", faults.join("; "));
}

function entryFault(method: string, entry: unknown): string[] {
  if (typeof entry === "function") return [];
  const { schema, run } = (entry ?? {}) as { schema?: unknown; run?: unknown };
  if (typeof run !== "function") {
    return [`onJob.${method} is not a function, nor has it a function run`];
  }
  if (isStandardSchema(schema)) return [];
  return [`onJob.${method}.schema does not follow Standard Schema (Zod, Valibot, ArkType do)`];
}

function checkObject(value: unknown, rule: string): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new CarillonError("invalid_config", rule);
}

/** Two workers for one app in one process would only take each other's jobs: raise concurrency. */
function register({ apps, database }: WorkerConfig): () => void {
  const where = typeof database === "string" ? database : JSON.stringify(database.options.database);
  const keys = apps.map((app) => `${where}#${app}`);
  const twice = apps.filter((app) => served.has(`${where}#${app}`));
  if (twice.length > 0) {
    throw new CarillonError(
      "invalid_config",
      `this process already serves ${twice.map((app) => `"${app}"`).join(", ")}`,
      {
        hint: "call serve() once per app, with a higher concurrency; or await worker.stop() first",
      },
    );
  }
  keys.forEach((key) => served.add(key));
  return () => keys.forEach((key) => served.delete(key));
}

function stopOnSignals(worker: Worker): () => void {
  const stop = () => void worker.stop();
  process.on("SIGTERM", stop).on("SIGINT", stop);
  return () => process.off("SIGTERM", stop).off("SIGINT", stop);
}
