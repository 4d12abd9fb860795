import { Link } from "@tanstack/react-router";
import {
  Ban,
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
import { EmptyState } from "../../parts/States.js";
import { count } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import type { Attention, AttentionItem } from "./queries.js";
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
  const Sign = ICONS[kind];
  return (
    <li data-severity={severity}>
      <span className={styles.sign}>
        <Sign size={16} aria-hidden="true" />
        <span className="sr-only">{severity}: </span>
      </span>
      <div className={styles.cause}>
        <p dir="auto">{text}</p>
        {error && !text.includes(error) && (
          <code className={styles.error} dir="auto">
            {error}
          </code>
        )}
        {crons.length > 0 && (
          <p className={styles.crons}>
            {crons.map(({ id, appId, name }) => (
              <Link
                key={id}
                to="/crons/$appId/$cronId"
                params={{ appId, cronId: id }}
                className="link"
              >
                {appId} / {name}
              </Link>
            ))}
            {cronCount > crons.length && <span>and {count(cronCount - crons.length)} more</span>}
          </p>
        )}
      </div>
      <span className={styles.since}>{since && <Ago at={since} />}</span>
    </li>
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
      {count(slots)} slots were decided in the last 24 hours: {parts.join(", ")}.
    </EmptyState>
  );
}
