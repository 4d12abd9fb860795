import { defineConfig } from "vitest/config";

/** The tests that need a Docker engine: run by ../containers.sh. */
export default defineConfig({
  test: {
    include: ["test/targets/container/*.live.ts", "test/dispatch/*.live.ts"],
    globalSetup: ["test/helpers/global-setup.ts"],
    pool: "forks",
    // One looks whether any container is left.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
