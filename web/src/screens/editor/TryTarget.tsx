import { useQuery } from "@tanstack/react-query";
import type { NewJob } from "carillon/client";
import { Send } from "lucide-react";
import { useState } from "react";
import { JobLink } from "../../jobs/JobLink.js";
import { ranFor } from "../../jobs/JobTable.js";
import { jobQuery } from "../../jobs/queries.js";
import { isLive, type Job } from "../../jobs/types.js";
import { OutcomeBadge } from "../../outcomes/OutcomeMark.js";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { ErrorLine } from "../../parts/ErrorLine.js";
import { client, useGrants } from "../../session/session.js";
import { duration } from "../../time/format.js";
import styles from "./editor.module.css";
import type { TargetType } from "./target-text.js";

interface TryTargetProps {
  appId: string;
  type: Exclude<TargetType, "">;
  /** One job by what the form holds; undefined while its fields are wrong, which they say then. */
  job: () => NewJob | undefined;
  onRefused: (error: unknown) => void;
}

const WORDS = {
  http: { verb: "Send a test request", what: "One real request is sent to the URL above" },
  agent: { verb: "Invoke it once", what: "The agent is really invoked, once" },
  faktory: { verb: "Push one job", what: "One real job is pushed to the queue above" },
  container: { verb: "Run it once", what: "One container is really run" },
} as const;

/** By which jobs of this kind are found. */
const TAG = "test-request";

/** Tries a target before anything is saved: by one job of the app, which is seen to its end. */
export function TryTarget({ appId, type, job, onRefused }: TryTargetProps) {
  const grants = useGrants();
  const [sent, setSent] = useState<number>();
  const { verb, what } = WORDS[type];
  const missing = grants(`app:${appId}:invoke`)
    ? undefined
    : `To make a job, app:${appId}:invoke is missing`;
  const ask = () => {
    const made = job();
    if (made === undefined) return;
    confirm({
      title: `${verb}?`,
      body: (
        <p>
          {what}, by what the form holds: nothing is saved. It is a job of {appId}, tried once; it
          stays in the history, with the tag <code>{TAG}</code>.
        </p>
      ),
      verb,
      run: async () => {
        try {
          const { msgId } = await client().jobs.enqueue(appId, { ...made, tags: [TAG] });
          setSent(msgId);
        } catch (error) {
          // What is wrong is said at its field.
          onRefused(error);
        }
      },
    });
  };
  return (
    <div className={styles.try}>
      <Button small refusal={missing} onClick={ask}>
        <Send size={13} aria-hidden="true" /> {verb}…
      </Button>
      <div role="status" className={styles.tried}>
        {sent !== undefined && <Sent key={sent} appId={appId} id={sent} />}
      </div>
    </div>
  );
}

const POLL_MS = 1000;

/** What becomes of it, for who may see that. */
function Sent({ appId, id }: { appId: string; id: number }) {
  const may = useGrants()(`app:${appId}:job.read`);
  const { data } = useQuery({
    ...jobQuery(appId, id),
    enabled: may,
    refetchInterval: ({ state }) =>
      state.data === undefined || isLive(state.data.status) ? POLL_MS : false,
  });
  return (
    <>
      {data === undefined ? "Sent" : <Outcome job={data} />} <span className="muted">as job</span>{" "}
      <JobLink appId={appId} id={id} />
    </>
  );
}

function Outcome({ job }: { job: Job }) {
  const ran = ranFor(job);
  return (
    <>
      <OutcomeBadge outcome={job.status} />
      {job.status === "queued" && <span className="muted">until a dispatcher takes it</span>}
      {ran !== null && !isLive(job.status) && (
        <span className="num">
          {statusOf(job)} in {duration(ran * 1000)}
        </span>
      )}
      {job.status === "failed" && <ErrorLine error={job.error} />}
    </>
  );
}

/** `201`, of an answer over HTTP. */
function statusOf({ attempts }: Job): string {
  const result = attempts.at(-1)?.result;
  const code =
    typeof result === "object" && result !== null && "statusCode" in result
      ? result.statusCode
      : undefined;
  return typeof code === "number" ? `with ${code}` : "";
}
