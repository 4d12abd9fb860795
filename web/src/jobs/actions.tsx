import { queryClient } from "../api/query-client.js";
import { confirm } from "../parts/confirm.js";
import { say } from "../parts/toasts.js";
import { client } from "../session/session.js";
import { count } from "../time/format.js";

/** What actions need to know of a job. */
export interface JobRef {
  appId: string;
  msgId: number;
}

/** After a change: whatever is shown of jobs is asked for anew, and what crons say of theirs. */
export async function jobsChanged(): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: ["jobs"] }),
    queryClient.invalidateQueries({ queryKey: ["dead-letters"] }),
    queryClient.invalidateQueries({ queryKey: ["crons"] }),
    queryClient.invalidateQueries({ queryKey: ["attention"] }),
    queryClient.invalidateQueries({ queryKey: ["overview"] }),
  ]);
}

export async function cancelJob({ appId, msgId }: JobRef, reason: string): Promise<void> {
  const given = reason.trim();
  await client().jobs.cancel(appId, msgId, given === "" ? {} : { reason: given });
  await jobsChanged();
  say({ title: `Canceled job ${count(msgId)}` });
}

/** Asks, and runs an ended job again as a new one. */
export function askToRetry({ appId, msgId }: JobRef, opened: (id: number) => void): void {
  confirm({
    title: `Run job ${count(msgId)} again?`,
    body: (
      <p>
        Makes a <strong>new</strong> job with the same payload and options, that starts at once. Job{" "}
        {count(msgId)} stays as it is; the two are linked.
      </p>
    ),
    verb: "Run again",
    run: async () => {
      const { msgId: made } = await client().jobs.retry(appId, msgId);
      await jobsChanged();
      say({
        title: `Job ${count(made)} runs it again`,
        action: { label: "Open", run: () => opened(made) },
      });
    },
  });
}
