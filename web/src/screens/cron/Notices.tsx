import type { CronSummary } from "../../crons/types.js";
import { PersonName } from "../../jobs/PersonName.js";
import { Notice } from "../../parts/States.js";
import { duration } from "../../time/format.js";
import { Time } from "../../time/Time.js";

const SYSTEM = "00000000-0000-0000-0000-000000000000";

/** What is out of the ordinary, most serious first; nothing where nothing is. */
export function Notices({
  summary: { cron, state, stateText, typical },
}: {
  summary: CronSummary;
}) {
  const { paused, denied, endsAt } = cron;
  return (
    <>
      {denied !== null && (
        <Notice tone="missed">
          <p>
            <strong>Denied: {denied}.</strong> Its slots are recorded and make no job until its
            owner may fire it, or it has another.
          </p>
        </Notice>
      )}
      {state === "failing" && <Notice tone="failed">{stateText}</Notice>}
      {paused?.note && (
        <Notice tone={paused.by === SYSTEM || state === "self_paused" ? "failed" : "info"}>
          <strong>
            {state === "self_paused" ? (
              "It paused itself:"
            ) : paused.by === null ? (
              "Paused:"
            ) : (
              <>
                Paused by <PersonName id={paused.by} />:
              </>
            )}
          </strong>
          <span dir="auto">{paused.note}</span>
        </Notice>
      )}
      {typical !== null && cron.enabled && state === "late" && (
        <Notice tone="late">{stateText}</Notice>
      )}
      {cron.jitter > 0 && (
        <Notice>
          Its jobs start up to {duration(cron.jitter * 1000)} after each slot, always by the same.
        </Notice>
      )}
      {endsAt !== null && (
        <Notice>
          No slot fires after <Time at={endsAt} zone={cron.timezone} />.
        </Notice>
      )}
    </>
  );
}
