import { defineConfig } from "vitest/config";

/** The tests that need a Docker engine, and no Postgres: run by ../containers.sh. */
export default defineConfig({
  test: { include: ["test/targets/container/*.live.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});
