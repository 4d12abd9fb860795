import type { NewJob, Output } from "../../client/index.js";
import { Progress } from "../output/progress.js";
import { decimal, jsonObject, list, seconds, whole } from "../parse.js";
import { apiCommand, overApi } from "../session.js";
import { waitForJob } from "../wait.js";

interface EnqueueOptions extends Omit<NewJob, "payload"> {
  payload?: Record<string, unknown>;
  method?: string;
  wait?: true;
}

export const enqueueCommand = apiCommand("enqueue", "enqueue a job")
  .option("--payload <json>", "JSON object for onJob; @file reads it, - takes stdin", jsonObject)
  .option("--method <name>", "handler to route to: payload.method")
  .option("--run-at <time>", "not before this time, such as 2026-05-08T10:30:00Z")
  .option("--priority <n>", "higher goes first", whole(-32768, 32767))
  .option("--max-attempts <n>", "tries until it has failed", whole(1, 100))
  .option("--retry-delay <time>", "before the second try", seconds)
  .option("--retry-backoff <factor>", "by which the delay grows", decimal)
  .option("--timeout <time>", "how long the handler may run", seconds)
  .option("--expires-at <time>", "canceled when not started by then")
  .option("--tags <list>", "labels, joined by commas", list)
  .option("--target <json>", "where it goes; @file reads it, - takes stdin", jsonObject)
  .option("--idempotency-key <key>", "the same key and body give the same job for 24 hours")
  .option("--wait", "until it has ended; exit code 1 unless it completed")
  .addHelpText(
    "after",
    `\nExample:\n  carillon jobs enqueue --app crm --method remind --payload '{"user": 7}' --wait`,
  )
  .action(
    overApi(async (session, options: EnqueueOptions & Record<string, unknown>) => {
      const { payload = {}, method, wait } = options;
      const names = ["runAt", "priority", "maxAttempts", "retryDelay", "retryBackoff", "timeout"];
      const given = [...names, "expiresAt", "tags", "target", "idempotencyKey"].flatMap((name) =>
        options[name] === undefined ? [] : [[name, options[name]] as const],
      );
      const input = {
        ...(Object.fromEntries(given) as NewJob),
        payload: { ...payload, ...(method === undefined ? {} : { method }) },
      };
      const app = session.app();
      const answer = await session.client.jobs.enqueue(app, input);
      if (wait) session.printFields(await waitForJob(session.client, app, answer.msgId));
      else session.print(answer, () => `enqueued job ${answer.msgId}`);
    }),
  );

/** Ids, one after the other. */
const ids = (text: string, before: number[] = []) => [...before, whole(0)(text)];

export const cancelCommand = apiCommand("cancel", "cancel waiting or running jobs")
  .argument("<jobs...>", "their ids", ids)
  .option("--reason <text>", "kept with them")
  .action(
    overApi(async (session, jobs: number[], { reason }: { reason?: string }) => {
      const progress = new Progress();
      const done: Output<"POST /api/v1/apps/{appId}/jobs/{id}/cancel">[] = [];
      for (const [at, id] of jobs.entries()) {
        if (jobs.length > 1) progress.show(`canceling ${at + 1} of ${jobs.length}`);
        const body = reason === undefined ? {} : { reason };
        done.push(await session.client.jobs.cancel(session.app(), id, body));
      }
      if (jobs.length > 1) progress.done();
      session.print(done, () =>
        done.map(({ msgId, status }) => `job ${msgId}: ${status}`).join("\n"),
      );
    }),
  );

export const retryCommand = apiCommand("retry", "run jobs that have ended again, as new jobs")
  .argument("<jobs...>", "their ids", ids)
  .action(
    overApi(async (session, jobs: number[]) => {
      const done: { msgId: number; retryOf: number }[] = [];
      for (const retryOf of jobs) {
        const { msgId } = await session.client.jobs.retry(session.app(), retryOf);
        done.push({ msgId, retryOf });
      }
      session.print(done, () =>
        done.map(({ msgId, retryOf }) => `job ${retryOf}: again as job ${msgId}`).join("\n"),
      );
    }),
  );

export const moveCommand = apiCommand("move", "change when a waiting job is due")
  .argument("<job>", "its id", whole(0))
  .argument("<time>", "such as 2026-05-08T10:30:00Z; the past means now")
  .action(
    overApi(async (session, id: number, runAt: string) => {
      const job = await session.client.jobs.update(session.app(), id, { runAt });
      session.print(job, () => `job ${id}: ${job.status}, due ${job.dueAt ?? "now"}`);
    }),
  );
