import { expect, test } from "vitest";
import { listLogs } from "../../src/db/logs.js";
import { until } from "../worker/helpers.js";
import { createDispatchBench } from "./bench.js";

/*
 * Jobs with containers, the whole way, against the engine whose socket CARILLON_TEST_DOCKER_SOCKET
 * names: run by test/targets/containers.sh.
 */

const socket = process.env.CARILLON_TEST_DOCKER_SOCKET ?? "";
if (socket === "") throw new Error("run it by test/targets/containers.sh");

const ENV = { CARILLON_CONTAINER_SOCKET: socket, CARILLON_CONTAINER_IMAGES: "crm=localhost/bb" };
const container = (script: string, more: object = {}) => ({
  ...{ type: "container", image: "localhost/bb:test", cmd: ["sh", "-c", script], timeout: 60 },
  ...more,
});

test("a dispatcher that is killed leaves its container to the next one, which settles the job", async () => {
  await using bench = await createDispatchBench();
  const first = await bench.spawn(ENV);
  const id = await bench.enqueue(container("echo one; sleep 4; echo two >&2; exit 0"));
  const lines = async () =>
    (await listLogs(bench.sql, "crm", id, { limit: 100 })).rows.map(
      ({ attempt, stream, message }) => `${attempt} ${stream} ${message}`,
    );
  await until(async () => (await lines()).includes("1 stdout one"), "the container's first line");
  await first.kill("SIGKILL");
  await bench.spawn(ENV);
  const job = await bench.ended(id);
  expect(job).toMatchObject({
    ...{ status: "completed", attempt: 2 },
    result: { type: "container", exitCode: 0, startedByAttempt: 1 },
  });
  expect(job.attempts).toMatchObject([{ error: { name: "LeaseLost" } }, { error: null }]);
  const settled = (await lines()).filter((line) => line.startsWith("2 std")).sort();
  expect(settled).toEqual(["2 stderr two", "2 stdout one"]);
});

test("its exit code, its time and its image decide", async () => {
  await using bench = await createDispatchBench();
  await bench.dispatch(ENV);
  const errorOf = async (target: object) => (await bench.ended(await bench.enqueue(target))).error;
  expect(await errorOf(container("exit 3"))).toMatchObject({ name: "exit" });
  expect(await errorOf(container("sleep 60", { timeout: 0.5 }))).toMatchObject({ name: "timeout" });
  expect(await errorOf(container("true", { image: "busybox" }))).toMatchObject({
    name: "refused_image",
  });
});
