import { completed, failed } from "../outcome.js";
import type { Outcome } from "../types.js";
import { DEFAULT_TIMEOUT_SECONDS } from "./create.js";
import type { Inspected } from "./engine.js";
import type { ContainerFailureClass } from "./failure.js";
import type { ContainerSpec } from "./schema.js";

/** What is kept of a container's run. */
export interface ContainerRecord {
  readonly type: "container";
  readonly image: string;
  readonly container: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The attempt that started it: an earlier one, where a dispatcher died and this one found it. */
  readonly startedByAttempt: number;
}

/** What ended a container, where it was not the container itself. */
export type Cut = "timeout" | "aborted";

/** What came of a container that has ended: its exit code decides. */
export function outcomeOf(found: Inspected, spec: ContainerSpec, cut: Cut | undefined): Outcome {
  const { Id, Config, State } = found;
  const result: ContainerRecord = {
    type: "container",
    image: spec.image,
    container: Id,
    exitCode: State.ExitCode,
    oomKilled: State.OOMKilled,
    startedAt: State.StartedAt,
    finishedAt: State.FinishedAt,
    startedByAttempt: Number(Config.Labels["carillon.attempt"]),
  };
  const fail = (kind: ContainerFailureClass, message: string) =>
    failed({ class: kind, message }, { result });
  if (State.Running) return fail("engine", "the container could not be stopped");
  if (cut === "timeout") {
    const seconds = spec.timeout ?? DEFAULT_TIMEOUT_SECONDS;
    return fail("timeout", `the container ran longer than its timeout of ${seconds} s`);
  }
  if (cut === "aborted") return fail("aborted", "the job was aborted and its container stopped");
  if (State.ExitCode === 0) return completed(result);
  if (State.OOMKilled) return fail("oom", "the container ran out of memory");
  const signal = State.ExitCode > 128 ? ` (signal ${State.ExitCode - 128})` : "";
  return fail("exit", `the container exited with ${State.ExitCode}${signal}`);
}
