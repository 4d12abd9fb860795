import type { DeadLetter } from "carillon/client";
import { ChevronRight } from "lucide-react";
import { useState, type Dispatch, type SetStateAction } from "react";
import { CronLink } from "../../jobs/CronLink.js";
import { JobLink } from "../../jobs/JobLink.js";
import { Button } from "../../parts/Button.js";
import { Pick, Table, Th } from "../../parts/Table.js";
import { useGrants } from "../../session/session.js";
import { count, counted } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import { askToRedrive } from "./actions.js";
import styles from "./dead-letters.module.css";
import type { LetterGroup } from "./groups.js";

type Selected = ReadonlyMap<number, DeadLetter>;

interface GroupTableProps {
  groups: readonly LetterGroup[];
  selected: Selected;
  onSelect: Dispatch<SetStateAction<Selected>>;
}

const COLUMNS = 7;

export function GroupTable({ groups, selected, onSelect }: GroupTableProps) {
  const select = (letters: readonly DeadLetter[], on: boolean) =>
    onSelect((now) => {
      const next = new Map(now);
      for (const letter of letters) {
        if (on) next.set(letter.id, letter);
        else next.delete(letter.id);
      }
      return next;
    });
  return (
    <div className={styles.table}>
      <Table
        caption="Dead letters by their error"
        least="56rem"
        cards
        head={
          <>
            <Th hidden>Selected</Th>
            <Th>Error</Th>
            <Th>From</Th>
            <Th right>Letters</Th>
            <Th>First and last</Th>
            <Th right>Attempts spent</Th>
            <Th hidden>Actions</Th>
          </>
        }
      >
        {groups.map((group) => (
          <Group key={group.key} group={group} selected={selected} onSelect={select} />
        ))}
      </Table>
    </div>
  );
}

interface GroupProps {
  group: LetterGroup;
  selected: Selected;
  onSelect: (letters: readonly DeadLetter[], on: boolean) => void;
}

function Group({ group, selected, onSelect }: GroupProps) {
  const { appId, cronId, error, letters } = group;
  const [open, setOpen] = useState(false);
  const may = useGrants();
  const [newest, oldest] = [letters[0], letters.at(-1)];
  if (newest === undefined || oldest === undefined) return null;
  const all = letters.every(({ id }) => selected.has(id));
  const spent = letters.reduce((sum, { attempts }) => sum + attempts.length, 0);
  return (
    <>
      <tr>
        <Pick
          label={`Select ${counted(letters.length, "letter")}: ${error}`}
          checked={all}
          onChange={(on) => onSelect(letters, on)}
        />
        <td className={styles.error}>
          <button
            type="button"
            className={styles.fold}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight size={14} aria-hidden="true" />
            <code dir="auto">{error}</code>
          </button>
        </td>
        <td className={styles.from}>
          {cronId === null ? (
            <span className="muted">no cron</span>
          ) : (
            <CronLink appId={appId} cronId={cronId} />
          )}{" "}
          <span className="muted small">{appId}</span>
        </td>
        <td data-right className={styles.letters}>
          <strong>{count(letters.length)}</strong>
        </td>
        <td className={styles.when}>
          <Time at={oldest.buriedAt} />
          {letters.length > 1 && (
            <>
              {" to "}
              <Time at={newest.buriedAt} />
            </>
          )}
        </td>
        <td data-right className={styles.spent}>
          {count(spent)}
        </td>
        <td data-right className={styles.acts}>
          {may(`app:${appId}:job.write`) && (
            <>
              <Button small onClick={() => askToRedrive({ letters: [oldest] }, () => undefined)}>
                {letters.length === 1 ? "Redrive…" : "Redrive 1 first…"}
              </Button>
              {letters.length > 1 && (
                <Button
                  small
                  look="quiet"
                  onClick={() => askToRedrive({ letters }, () => undefined)}
                >
                  Redrive {count(letters.length)}…
                </Button>
              )}
            </>
          )}
        </td>
      </tr>
      {open &&
        letters.map((letter) => (
          <Letter
            key={letter.id}
            letter={letter}
            selected={selected.has(letter.id)}
            onSelect={onSelect}
          />
        ))}
    </>
  );
}

interface LetterProps {
  letter: DeadLetter;
  selected: boolean;
  onSelect: (letters: readonly DeadLetter[], on: boolean) => void;
}

function Letter({ letter, selected, onSelect }: LetterProps) {
  const { appId, jobId, buriedAt, attempts, payload } = letter;
  const workers = [...new Set(attempts.map(({ worker }) => worker ?? "unknown"))];
  return (
    <tr className={styles.letter} data-selected={selected || undefined}>
      <Pick
        label={`Select the letter of job ${jobId}`}
        checked={selected}
        onChange={(on) => onSelect([letter], on)}
      />
      <td colSpan={COLUMNS - 1} className={styles.about}>
        <p>
          Job <JobLink appId={appId} id={jobId} /> died <Time at={buriedAt} seconds /> after{" "}
          {counted(attempts.length, "attempt")} on{" "}
          <span className="mono">{workers.join(", ")}</span>
        </p>
        <code className={styles.payload} dir="auto">
          {JSON.stringify(payload)}
        </code>
      </td>
    </tr>
  );
}
