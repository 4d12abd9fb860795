import type { CronSummary } from "../../crons/types.js";
import { cityOf, clockTime, isUtc } from "../../time/format.js";
import { Ago, Countdown, Duration, Time } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";

/** The one sentence that matters about a cron. */
export function Lead({ summary }: { summary: CronSummary }) {
  const { cron, next, typical } = summary;
  const { zone } = useTimeStyle(cron.timezone);
  if (cron.paused !== null) {
    return (
      <p>
        <strong>
          Paused <Ago at={cron.paused.at} zone={cron.timezone} />
        </strong>{" "}
        (<Time at={cron.paused.at} zone={cron.timezone} />
        ). No slot fires until it is resumed.
      </p>
    );
  }
  if (cron.completedAt !== null) {
    return (
      <p>
        <strong>Done.</strong> It had its last slot{" "}
        <Time at={cron.completedAt} zone={cron.timezone} />.
      </p>
    );
  }
  if (next === null) return <p>It has no slot ahead.</p>;
  return (
    <p>
      <strong>
        Next slot <Countdown at={next} />
      </strong>
      {" · "}
      <Time at={next} zone={cron.timezone} seconds={isSeconds(cron.schedule)} /> {cityOf(zone)}
      {!isUtc(zone) && (
        <span className="muted">
          {" "}
          (<ClockIn zone="UTC" at={next} /> UTC)
        </span>
      )}
      {typical !== null && (
        <>
          {" · usually takes "}
          <Duration seconds={typical.p50} />
        </>
      )}
    </p>
  );
}

const isSeconds = (schedule: string) => schedule.endsWith("seconds") || schedule.endsWith("second");

function ClockIn({ at, zone }: { at: string; zone: string }) {
  const { hour12 } = useTimeStyle();
  return <span className="num">{clockTime(Date.parse(at), { zone, hour12 })}</span>;
}
