import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { CronMenu } from "../../crons/CronMenu.js";
import { StateMark } from "../../crons/state.js";
import { TARGET_WORDS, type CronSummary } from "../../crons/types.js";
import { fromLetters, tally } from "../../outcomes/outcomes.js";
import { OutcomeMark } from "../../outcomes/OutcomeMark.js";
import { Strip } from "../../outcomes/Strip.js";
import { Chip } from "../../parts/Page.js";
import { Pick } from "../../parts/Table.js";
import { Ago, Duration, Time } from "../../time/Time.js";
import { cityOf } from "../../time/format.js";
import styles from "./crons.module.css";

interface CronRowProps {
  summary: CronSummary;
  selected: boolean;
  onSelect: (id: string, on: boolean) => void;
  /** Its number among all, where not all of them are in the page. */
  place?: number;
  measure?: (row: Element | null) => void;
}

export const CronRow = memo(function CronRow(props: CronRowProps) {
  const { summary, selected, onSelect, place, measure } = props;
  const { cron, state, stateText, sentence } = summary;
  return (
    <tr
      ref={measure}
      data-selected={selected || undefined}
      {...(place !== undefined && { "data-index": place, "aria-rowindex": place + 2 })}
    >
      <Pick
        label={`Select ${cron.name}`}
        checked={selected}
        onChange={(on) => onSelect(cron.id, on)}
      />
      <td className={styles.name}>
        <div className={styles.nameLine}>
          <StateMark state={state} text={stateText} />
          <div className={styles.min}>
            <Link
              to="/crons/$appId/$cronId"
              params={{ appId: cron.appId, cronId: cron.id }}
              className={styles.link}
              title={cron.name}
              dir="auto"
            >
              {cron.name}
            </Link>
            <p className={styles.second}>
              {cron.appId}
              {cron.origin === "manifest" && <Chip>manifest</Chip>}
              {cron.target !== null && <Chip>{TARGET_WORDS[cron.target.type]}</Chip>}
              {cron.jitter > 0 && <Chip>jitter {cron.jitter} s</Chip>}
            </p>
          </div>
        </div>
      </td>
      <td className={styles.schedule}>
        <p>{sentence}</p>
        <p className={styles.second}>
          <code>{cron.schedule}</code>
          <span title={cron.timezone}>{cityOf(cron.timezone)}</span>
        </p>
      </td>
      <td className={styles.slots}>
        <Slots summary={summary} />
      </td>
      <td className={styles.last}>
        <Last summary={summary} />
      </td>
      <td className={styles.next}>
        <Next summary={summary} />
      </td>
      <td data-right className={styles.typical}>
        <Typical summary={summary} />
      </td>
      <td className={styles.menu}>
        <CronMenu summary={summary} onDeleted={() => onSelect(cron.id, false)} />
      </td>
    </tr>
  );
});

const SLOTS = 30;

function Slots({ summary: { strip } }: { summary: CronSummary }) {
  const outcomes = fromLetters(strip);
  const label =
    outcomes.length === 0
      ? "No slot decided yet"
      : `Last ${outcomes.length} slots: ${tally(outcomes)}`;
  return <Strip outcomes={outcomes} length={SLOTS} label={label} />;
}

function Last({ summary: { last, cron } }: { summary: CronSummary }) {
  if (last === null) return <span className="muted">—</span>;
  return (
    <>
      <p className={styles.lastLine}>
        <OutcomeMark outcome={last.status} size={11} />
        <span className="sr-only">{last.status} </span>
        <Ago at={last.finishedAt} zone={cron.timezone} />
      </p>
      <p className={styles.second}>
        <Duration seconds={last.duration} />
      </p>
    </>
  );
}

function Next({ summary: { next, cron } }: { summary: CronSummary }) {
  if (cron.paused !== null) {
    return (
      <>
        <p>
          Paused <Ago at={cron.paused.at} zone={cron.timezone} />
        </p>
        {cron.paused.note && (
          <p className={styles.second} title={cron.paused.note}>
            <q className="clip">{cron.paused.note}</q>
          </p>
        )}
      </>
    );
  }
  if (next === null) return <span className="muted">None left</span>;
  return (
    <>
      <p>
        <Ago at={next} zone={cron.timezone} />
      </p>
      <p className={styles.second}>
        <Time at={next} zone={cron.timezone} />
      </p>
    </>
  );
}

function Typical({ summary: { typical } }: { summary: CronSummary }) {
  if (typical === null) return <span className="muted">—</span>;
  return (
    <>
      <p>
        <Duration seconds={typical.p50} />
      </p>
      <p className={styles.second}>
        p95 <Duration seconds={typical.p95} />
      </p>
    </>
  );
}
