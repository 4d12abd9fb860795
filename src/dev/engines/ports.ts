import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/**
 * A free port below the ephemeral range, so that no outgoing connection takes it while the
 * server is stopped for a moment. Another process may still be quicker: callers try again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port found between 20000 and 32000 on 127.0.0.1");
}
