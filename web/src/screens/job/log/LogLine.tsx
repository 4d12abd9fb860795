import type { LogLine as Line } from "carillon/client";
import { memo, useState } from "react";
import { counted, duration } from "../../../time/format.js";
import { Time } from "../../../time/Time.js";
import styles from "./log.module.css";
import { partsOf, plain } from "./plain.js";

interface LogLineProps {
  line: Line;
  q: string;
  /** When the job began: times are told from there; undefined for times of the day. */
  since: number | undefined;
  attempts: boolean;
}

/** Characters of one line that are shown at once. */
const MOST = 3000;

/** A line of a log: its text is text, whatever is in it. */
export const LogLine = memo(function LogLine({ line, q, since, attempts }: LogLineProps) {
  const { seq, attempt, at, level, stream, percent, altered } = line;
  return (
    <div className={styles.line} data-level={level}>
      <span className={styles.number}>{seq}</span>
      <span className={styles.at}>
        {since === undefined ? (
          <Time at={at} show="clock" seconds />
        ) : (
          <span title={at}>+{duration(Math.max(0, Date.parse(at) - since))}</span>
        )}
      </span>
      {attempts && <span className={styles.attempt}>#{attempt}</span>}
      <span className={styles.level}>{stream === "log" ? level : stream}</span>
      <span className={styles.message}>
        {percent !== null && <strong>{Math.floor(percent)} % </strong>}
        <Text text={plain(line.message)} q={q} />
        {line.data !== null && (
          <span className={styles.data}>
            {" "}
            <Text text={JSON.stringify(line.data)} q={q} />
          </span>
        )}
        {altered !== null && <span className={styles.altered}> {alteredWords(altered)}</span>}
      </span>
    </div>
  );
});

function Text({ text, q }: { text: string; q: string }) {
  const [all, setAll] = useState(false);
  const shown = all ? text : text.slice(0, MOST);
  return (
    <>
      {partsOf(shown, q).map((part, at) =>
        part.hit ? <mark key={at}>{part.text}</mark> : <span key={at}>{part.text}</span>,
      )}
      {shown.length < text.length && (
        <button type="button" className={styles.more} onClick={() => setAll(true)}>
          … show all {counted(text.length, "character")}
        </button>
      )}
    </>
  );
}

function alteredWords({ cutBytes, replaced, dataBytes }: NonNullable<Line["altered"]>): string {
  const words = [
    cutBytes !== undefined && `${counted(cutBytes, "byte")} cut off`,
    replaced !== undefined && `${counted(replaced, "character")} replaced`,
    dataBytes !== undefined && `${counted(dataBytes, "byte")} of data left out`,
  ];
  return `(${words.filter(Boolean).join(", ")})`;
}
