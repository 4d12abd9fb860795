import type { Cron } from "carillon/client";
import { Button } from "../../parts/Button.js";
import { Card } from "../../parts/Page.js";
import { Table, Th } from "../../parts/Table.js";
import { Ago } from "../../time/Time.js";
import styles from "./editor.module.css";
import { touched, valuesOf, type EditorValues } from "../../crons/values.js";

interface ConflictProps {
  /** As it is now. */
  current: Cron;
  /** As it was when the editing began. */
  base: EditorValues;
  mine: EditorValues;
  onMerge: () => void;
  onTheirs: () => void;
}

/** Somebody was quicker: what they changed, beside what one has. */
export function Conflict({ current, base, mine, onMerge, onTheirs }: ConflictProps) {
  const theirs = valuesOf(current);
  const fields = touched(theirs, base);
  const own = touched(mine, base);
  return (
    <Card title="Changed meanwhile">
      <div className={styles.fields} role="alert">
        <p>
          Somebody saved this cron <Ago at={current.updatedAt} zone={current.timezone} />, as
          version {current.version}. Yours is kept, and nothing was saved over theirs.
        </p>
        {fields.length === 0 ? (
          <p className="muted">Nothing of what is here was changed by them.</p>
        ) : (
          <Table
            caption="What they changed"
            head={
              <>
                <Th>Field</Th>
                <Th>Was</Th>
                <Th>Theirs</Th>
                <Th>Yours</Th>
              </>
            }
          >
            {fields.map((field) => (
              <tr key={field}>
                <td>{field}</td>
                <td>
                  <code>{base[field] || "default"}</code>
                </td>
                <td>
                  <code>{theirs[field] || "default"}</code>
                </td>
                <td>
                  {own.includes(field) ? (
                    <code>{mine[field] || "default"}</code>
                  ) : (
                    <span className="muted">untouched</span>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
        <div className={styles.buttons}>
          <Button look="primary" onClick={onMerge}>
            Keep mine on top of theirs
          </Button>
          <Button onClick={onTheirs}>Take theirs, drop mine</Button>
        </div>
      </div>
    </Card>
  );
}
