import { Link, useParams } from "@tanstack/react-router";
import { useCronName } from "../../jobs/CronLink.js";
import { JobLink } from "../../jobs/JobLink.js";
import { jobQuery } from "../../jobs/queries.js";
import { isLive, type Job as FullJob } from "../../jobs/types.js";
import { whatOf } from "../../jobs/what.js";
import { useLive } from "../../live/live.js";
import { OutcomeBadge } from "../../outcomes/OutcomeMark.js";
import { Copy } from "../../parts/Copy.js";
import { Json } from "../../parts/Json.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loading, Notice } from "../../parts/States.js";
import { useGrants } from "../../session/session.js";
import { ErrorCard } from "./ErrorCard.js";
import { Exchanges } from "./Exchanges.js";
import { JobActions } from "./JobActions.js";
import { JobFacts } from "./JobFacts.js";
import styles from "./job.module.css";
import { Lead } from "./Lead.js";
import { Log } from "./log/Log.js";
import { Waterfall } from "./Waterfall.js";

/** One job: how it is, what it went through, what it was given, and what came of it. */
export function Job() {
  const { appId = "", jobId = "" } = useParams({ strict: false });
  const may = useGrants();
  const id = /^\d{1,15}$/.test(jobId) ? Number(jobId) : undefined;
  if (id === undefined) {
    return (
      <Outside appId={appId} title="Job">
        <EmptyState title="That is no job's id">A job&apos;s id is a whole number.</EmptyState>
      </Outside>
    );
  }
  if (!may(`app:${appId}:job.read`)) {
    return (
      <Outside appId={appId} title={`Job ${id}`}>
        <EmptyState title="You may not see this job">
          The permission <code>app:{appId}:job.read</code> is missing. Whoever manages roles can
          grant it.
        </EmptyState>
      </Outside>
    );
  }
  return <Read appId={appId} id={id} />;
}

function Read({ appId, id }: { appId: string; id: number }) {
  const query = useLive(jobQuery(appId, id), 2000);
  if (query.data?.msgId === id) return <Found key={id} job={query.data} />;
  return (
    <Outside appId={appId} title={`Job ${id}`}>
      {query.error === null ? (
        <Loading rows={8} />
      ) : (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
    </Outside>
  );
}

function Outside(props: { appId: string; title: string; children: React.ReactNode }) {
  return (
    <Page title={props.title} lead={<Crumb appId={props.appId} />}>
      <Card>{props.children}</Card>
    </Page>
  );
}

function Crumb({ appId, id }: { appId: string; id?: number }) {
  return (
    <p className={`small muted ${styles.crumb ?? ""}`}>
      <Link to="/jobs" className="link">
        Jobs
      </Link>
      {" / "}
      {appId}
      {id !== undefined && (
        <>
          {" / "}
          <span className="mono">{id}</span>
          <Copy text={String(id)} what="the job's id" />
        </>
      )}
    </p>
  );
}

function Found({ job }: { job: FullJob }) {
  const { appId, msgId, status, error, progress, retriedBy } = job;
  const cron = useCronName(appId, job.cronId);
  const name = cron === "" ? whatOf(job) : cron;
  const last = job.attempts.at(-1);
  return (
    <Page
      title={
        name === undefined ? `Job ${msgId}` : `Job ${msgId}${cron === "" ? "," : " of"} ${name}`
      }
      mark={<OutcomeBadge outcome={status} />}
      lead={
        <>
          <Lead job={job} />
          <Crumb appId={appId} id={msgId} />
        </>
      }
      actions={<JobActions job={job} />}
    >
      {retriedBy.length > 0 && (
        <Notice>
          <span className={styles.crumb}>
            It has been run again as{" "}
            {retriedBy.map((id, at) => (
              <span key={id}>
                {at > 0 && ", "}
                <JobLink appId={appId} id={id} />
              </span>
            ))}
            .
          </span>
        </Notice>
      )}
      {isLive(status) && progress !== null && (
        <div className={styles.progress}>
          <progress max={100} value={progress.percent} aria-label="Progress" />
          <strong className="num">{Math.floor(progress.percent)} %</strong>
          <span dir="auto">{progress.note}</span>
        </div>
      )}
      <Waterfall job={job} />
      {error !== null ? (
        <ErrorCard error={error} />
      ) : (
        isLive(status) &&
        last?.error != null && (
          <ErrorCard error={last.error} title={`Error of attempt ${last.attempt}`} />
        )
      )}
      <Exchanges job={job} />
      <Log job={job} />
      <div className={job.target === null ? styles.split : undefined}>
        <Card title="Payload">
          <Json value={job.payload} what="the payload" />
        </Card>
        {job.target === null && (
          <Card title="Result">
            {job.result === null ? (
              <p className="muted">
                {status === "completed" ? "Its handler returned nothing." : "None."}
              </p>
            ) : (
              <Json value={job.result} what="the result" />
            )}
          </Card>
        )}
      </div>
      <JobFacts job={job} />
    </Page>
  );
}
