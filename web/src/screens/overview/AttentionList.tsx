import { Link } from "@tanstack/react-router";
import {
  Ban,
  ChevronRight,
  CircleDashed,
  CircleX,
  Clock,
  Copy,
  Hourglass,
  MailX,
  OctagonPause,
  SkipForward,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import type { ComponentType } from "react";
import type { Attention, AttentionItem } from "../../needs/needs.js";
import { EmptyState } from "../../parts/States.js";
import { count, counted } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import { wayTo } from "./ways.js";
import styles from "./overview.module.css";

type Icon = ComponentType<{ size?: number; "aria-hidden"?: "true" }>;

const ICONS: Readonly<Record<AttentionItem["kind"], Icon>> = {
  clone: Copy,
  no_worker: Unplug,
  failing: CircleX,
  self_paused: OctagonPause,
  denied: Ban,
  undecided: TriangleAlert,
  pg_cron_stuck: TriangleAlert,
  missed: CircleDashed,
  skipping: SkipForward,
  late: Clock,
  dead_letters: MailX,
  forgotten: Hourglass,
};

/** One line for each cause, most serious first; or that there is none, with the proof. */
export function AttentionList({ attention }: { attention: Attention }) {
  const { items, count: all, decided } = attention;
  if (items.length === 0) return <AllGood decided={decided} />;
  return (
    <>
      <ul className={styles.attention}>
        {items.map((item) => (
          <Cause
            key={`${item.kind} ${item.appId ?? ""} ${item.cronId ?? ""} ${item.text}`}
            item={item}
          />
        ))}
      </ul>
      {all > items.length && <p className={styles.rest}>and {count(all - items.length)} more</p>}
    </>
  );
}

function Cause({ item }: { item: AttentionItem }) {
  const { kind, severity, text, crons, cronCount, since, error } = item;
  const way = wayTo(item);
  const Sign = ICONS[kind];
  // A sentence that begins with the cron it is about is the way there itself.
  const named = crons.find((cron) => text.startsWith(`${nameOf(cron)} `));
  return (
    <li data-severity={severity}>
      <span className={styles.sign}>
        <Sign size={16} aria-hidden="true" />
        <span className="sr-only">{severity}: </span>
      </span>
      <div className={styles.cause}>
        <p dir="auto">
          {named === undefined ? (
            text
          ) : (
            <>
              <CronLink cron={named} />
              {text.slice(nameOf(named).length)}
            </>
          )}
        </p>
        {error && !text.includes(error) && (
          <code className={styles.error} dir="auto">
            {error}
          </code>
        )}
        {named === undefined && crons.length > 0 && (
          <p className={styles.crons}>
            {crons.map((cron) => (
              <CronLink key={cron.id} cron={cron} />
            ))}
            {cronCount > crons.length && <span>and {count(cronCount - crons.length)} more</span>}
          </p>
        )}
      </div>
      <span className={styles.since}>{since && <Ago at={since} />}</span>
      <Link {...way.link} className={styles.way} aria-label={`${way.verb}: ${text}`}>
        {way.verb} <ChevronRight size={14} aria-hidden="true" />
      </Link>
    </li>
  );
}

type NamedCron = AttentionItem["crons"][number];

const nameOf = ({ appId, name }: NamedCron) => `${appId} / ${name}`;

function CronLink({ cron }: { cron: NamedCron }) {
  const { appId, id } = cron;
  return (
    <Link to="/crons/$appId/$cronId" params={{ appId, cronId: id }} className="link">
      {nameOf(cron)}
    </Link>
  );
}

function AllGood({ decided }: { decided: Attention["decided"] }) {
  const { slots, onTime, late, skipped, missed } = decided;
  if (slots === 0) {
    return <EmptyState good title="Nothing needs you: no slot was due in the last 24 hours" />;
  }
  const parts = [
    `${count(onTime)} on time`,
    ...(late > 0 ? [`${count(late)} caught up`] : []),
    `${count(skipped)} skipped on purpose`,
    `${count(missed)} missed`,
  ];
  return (
    <EmptyState good title="Nothing needs you">
      {counted(slots, "slot")} {slots === 1 ? "was" : "were"} decided in the last 24 hours:{" "}
      {parts.join(", ")}.
    </EmptyState>
  );
}
