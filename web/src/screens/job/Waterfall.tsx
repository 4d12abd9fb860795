import { useId } from "react";
import { ErrorLine } from "../../parts/ErrorLine.js";
import { Card } from "../../parts/Page.js";
import { useNow } from "../../time/clock.js";
import { duration } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import { isLive, type Job } from "../../jobs/types.js";
import styles from "./job.module.css";
import { axisOf, phasesOf, PHASES, type Axis, type Phase, type PhaseKind } from "./phases.js";

const HEIGHT = 20;

/** What the job went through, on one axis: a line for the queue, and one for each attempt. */
export function Waterfall({ job }: { job: Job }) {
  const now = useNow(isLive(job.status) ? 1000 : 3_600_000);
  const rows = phasesOf(job, now);
  const axis = axisOf(rows);
  const kinds = [...new Set(rows.flatMap(({ phases }) => phases.map(({ kind }) => kind)))];
  return (
    <Card
      title="Timeline"
      aside={
        <ul className={styles.legend}>
          {kinds.map((kind) => (
            <li key={kind}>
              <svg width={22} height={12} aria-hidden="true">
                <Bar kind={kind} x={1} width={20} height={12} unit="" />
              </svg>
              {PHASES[kind]}
            </li>
          ))}
        </ul>
      }
    >
      <ol className={styles.waterfall} aria-label="What the job went through">
        {rows.map(({ name, by, phases, text, error }) => (
          <li key={name}>
            <div className={styles.rowName}>
              <strong>{name}</strong>
              {by !== null && (
                <span className="mono muted clip small" title={by}>
                  {by}
                </span>
              )}
            </div>
            <svg className={styles.track} height={HEIGHT} width="100%" aria-hidden="true">
              <line x1="0" x2="100%" y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className={styles.base} />
              {phases.map((phase) => (
                <PhaseBar key={phase.kind} phase={phase} axis={axis} />
              ))}
            </svg>
            <div className={styles.rowText}>
              <span className="num">{text}</span>
              <ErrorLine error={error} />
            </div>
          </li>
        ))}
        <li aria-hidden="true" className={styles.axisRow}>
          <span />
          <span className={styles.axis}>
            {[0, 0.25, 0.5, 0.75, 1].map((part) => (
              <span key={part} className="num">
                {part === 0 && axis.cut ? "… " : ""}
                {duration(Math.round((axis.to - axis.from) * part))}
              </span>
            ))}
          </span>
          <span />
        </li>
      </ol>
      <p className={styles.span}>
        From <Time at={new Date(axis.from).toISOString()} seconds /> to{" "}
        {isLive(job.status) ? "now" : <Time at={new Date(axis.to).toISOString()} seconds />}
        {axis.cut && ", the long wait before it cut off"}.
      </p>
    </Card>
  );
}

function PhaseBar({ phase, axis }: { phase: Phase; axis: Axis }) {
  const span = axis.to - axis.from;
  const part = (at: number) => (100 * Math.min(Math.max(at - axis.from, 0), span)) / span;
  const [from, to] = [part(phase.from), part(phase.to)];
  if (to <= 0) return null;
  return <Bar kind={phase.kind} x={from} width={to - from} height={HEIGHT} unit="%" />;
}

interface BarProps {
  kind: PhaseKind;
  x: number;
  width: number;
  height: number;
  unit: "%" | "";
}

const THIN: ReadonlySet<PhaseKind> = new Set(["late", "scheduled", "queued", "backoff"]);

/** Waiting is thin and broken, work is full; each kind has a pattern of its own besides its colour. */
function Bar({ kind, x, width, height, unit }: BarProps) {
  const id = useId();
  const thin = THIN.has(kind);
  const tall = thin ? height * 0.3 : height * 0.8;
  const y = (height - tall) / 2;
  const at = `${x}${unit}`;
  return (
    <g className={styles.bar} data-kind={kind}>
      <defs>
        <pattern id={id} width={6} height={6} patternUnits="userSpaceOnUse">
          <path d={PATTERNS[kind]} className={styles.ink} />
        </pattern>
      </defs>
      {/* At least a pixel, however short it was. */}
      <rect x={at} y={y} width={1.5} height={tall} className={styles.ink} />
      <rect x={at} y={y} width={`${width}${unit}`} height={tall} fill={`url(#${id})`} />
      {kind === "lost" && (
        <svg x={`${x + width}${unit}`} overflow="visible">
          <path
            className={styles.ink}
            d={`M0 ${y}l4 ${tall / 6}l-4 ${tall / 6}l4 ${tall / 6}l-4 ${tall / 6}l4 ${tall / 6}l-4 ${tall / 6}z`}
          />
        </svg>
      )}
    </g>
  );
}

/* Of six by six pixels each. */
const FULL = "M0 0h6v6H0z";
const PATTERNS: Readonly<Record<PhaseKind, string>> = {
  late: "M0 0h1.5v6H0z",
  scheduled: "M0 0h1.5v6H0zM3 0h1.5v6H3z",
  queued: "M0 0h2v6H0zM4 0h2v6H4z",
  backoff: "M0 0h4v6H0z",
  running: "M0 6L6 0h-4L0 2zM6 6V2L2 6z",
  completed: FULL,
  failed: "M0 0h6v2.5H0zM0 3.5h6V6H0z",
  canceled: "M0 0h2.5v2.5H0zM3 3h2.5v2.5H3z",
  lost: "M0 0h5v6H0z",
};
