import { Download, WrapText } from "lucide-react";
import { useState } from "react";
import { problemOf } from "../../../api/problem.js";
import { isLive, type Job } from "../../../jobs/types.js";
import { Button } from "../../../parts/Button.js";
import { Menu, MenuItem } from "../../../parts/Menu.js";
import { Card } from "../../../parts/Page.js";
import { SearchBox } from "../../../parts/SearchBox.js";
import { EmptyState, ErrorState, Loading } from "../../../parts/States.js";
import { say } from "../../../parts/toasts.js";
import { OUTCOMES } from "../../../outcomes/outcomes.js";
import { client } from "../../../session/session.js";
import { counted } from "../../../time/format.js";
import { Time } from "../../../time/Time.js";
import { LEVELS, type Level, type LogState } from "./feed.js";
import { Lines } from "./Lines.js";
import styles from "./log.module.css";
import { useLog } from "./use-log.js";

/** What a job has logged, as it does. */
export function Log({ job }: { job: Job }) {
  const [q, setQ] = useState("");
  const [levels, setLevels] = useState<readonly Level[]>([]);
  const [wrap, setWrap] = useState(true);
  const [clock, setClock] = useState(false);
  const [following, setFollowing] = useState(true);
  const log = useLog(job, { q: q.trim(), levels });
  const live = isLive(job.status) && log.phase !== "ended";
  const follow = (on: boolean) => {
    log.feed.following = on;
    setFollowing(on);
  };
  const narrow = q.trim() !== "" || levels.length > 0;
  const began = job.attempts[0]?.startedAt ?? job.enqueuedAt;
  const toggle = (level: Level) =>
    setLevels(levels.includes(level) ? levels.filter((one) => one !== level) : [...levels, level]);
  const empty = log.lines.length === 0 && log.phase !== "reading";
  return (
    <Card title="Log" aside={<Phase state={log} live={live} />} flush>
      <div className={styles.tools} role="toolbar" aria-label="Log">
        <SearchBox label="Search the log" placeholder="Text in it" value={q} onChange={setQ} />
        <div className={styles.levels} role="group" aria-label="Levels">
          {LEVELS.map((level) => (
            <button
              key={level}
              type="button"
              aria-pressed={levels.includes(level)}
              onClick={() => toggle(level)}
            >
              {level}
            </button>
          ))}
        </div>
        {narrow && log.phase !== "reading" && (
          <span className="small muted num" role="status">
            {counted(log.lines.length, "line")}
            {log.earlier && " and more"}
          </span>
        )}
        <span className={styles.gap} />
        {live && (
          <Button small aria-pressed={following} onClick={() => follow(!following)}>
            Follow
          </Button>
        )}
        <Button small look="quiet" aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          <WrapText size={14} aria-hidden="true" /> Wrap
        </Button>
        <Button small look="quiet" aria-pressed={clock} onClick={() => setClock(!clock)}>
          Clock times
        </Button>
        <DownloadMenu job={job} />
      </div>
      {log.phase === "failed" && (
        <ErrorState error={log.error} onRetry={() => void log.feed.run(live, () => undefined)} />
      )}
      {log.earlier && <Earlier onRead={() => log.feed.readEarlier()} />}
      {log.phase === "reading" && log.lines.length === 0 && <Loading rows={4} height="1.25rem" />}
      {empty && log.phase !== "failed" && <NoLines narrow={narrow} live={live} job={job} />}
      {log.lines.length > 0 && (
        <Lines
          lines={log.lines}
          q={q.trim()}
          since={clock ? undefined : Date.parse(began)}
          wrap={wrap}
          live={live}
          following={following}
          onFollow={follow}
        />
      )}
      {log.phase === "ended" && job.finishedAt !== null && log.lines.length > 0 && (
        <p className={styles.end}>
          — {OUTCOMES[job.status].word} <Time at={job.finishedAt} seconds /> —
        </p>
      )}
    </Card>
  );
}

function Phase({ state: { phase }, live }: { state: LogState; live: boolean }) {
  const words = {
    reading: "Reading…",
    following: "Live",
    resting: "Resting while the page is hidden",
    ended: "Complete",
    failed: "Broken off",
  }[phase];
  return (
    <span className={styles.phase} data-live={(live && phase === "following") || undefined}>
      {words}
    </span>
  );
}

function Earlier({ onRead }: { onRead: () => Promise<number> }) {
  const [pending, setPending] = useState(false);
  const read = async () => {
    setPending(true);
    try {
      await onRead();
    } catch (error) {
      say({ title: "Could not read them", detail: problemOf(error).detail, failed: true });
    } finally {
      setPending(false);
    }
  };
  return (
    <div className={styles.earlier}>
      <Button small look="quiet" disabled={pending} onClick={() => void read()}>
        {pending ? "Reading…" : "Load earlier lines"}
      </Button>
    </div>
  );
}

function NoLines({ narrow, live, job }: { narrow: boolean; live: boolean; job: Job }) {
  if (narrow) return <EmptyState title="No line matches" />;
  if (live && job.attempts.length === 0) {
    return (
      <EmptyState title="It has not started yet">What it logs appears here at once.</EmptyState>
    );
  }
  return (
    <EmptyState title={live ? "Nothing logged yet" : "This job has written no log"}>
      Use <code>ctx.log</code> in its handler.
    </EmptyState>
  );
}

const FORMATS = [
  ["txt", "As text"],
  ["json", "As JSON"],
  ["jsonl", "As JSON, a line each"],
] as const;

function DownloadMenu({ job: { appId, msgId } }: { job: Job }) {
  const save = async (format: (typeof FORMATS)[number][0]) => {
    try {
      const file = await client().jobs.downloadLog(appId, msgId, { format });
      const blob = await new Response(file.stream).blob();
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = file.name ?? `${appId}-job-${msgId}.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      say({ title: "Could not download it", detail: problemOf(error).detail, failed: true });
    }
  };
  return (
    <Menu
      trigger={
        <Button small look="quiet">
          <Download size={14} aria-hidden="true" /> Download
        </Button>
      }
    >
      {FORMATS.map(([format, words]) => (
        <MenuItem key={format} onClick={() => void save(format)}>
          {words}
        </MenuItem>
      ))}
    </Menu>
  );
}
