import type { Logger } from "../log.js";
import type { ContainerTarget } from "../targets/container/target.js";

const EVERY_MS = 60_000;

/** Removes containers that nobody came back for: at once, and every minute. */
export function startSweeper(
  containers: Pick<ContainerTarget, "sweep"> | undefined,
  log: Logger,
): AsyncDisposable {
  if (containers === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  let failing = false;
  const sweep = async () => {
    try {
      const removed = await containers.sweep();
      if (removed > 0) log.info({ removed }, "removed containers that nobody came back for");
      failing = false;
    } catch (error) {
      if (!failing)
        log.warn({ err: error }, "cannot look for containers that nobody came back for");
      failing = true;
    }
  };
  let running = sweep();
  const timer = setInterval(() => {
    running = running.then(sweep);
  }, EVERY_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
