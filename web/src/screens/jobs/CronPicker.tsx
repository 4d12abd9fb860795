import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { cronsQuery } from "../../crons/queries.js";
import { Button } from "../../parts/Button.js";
import { Dialog } from "../../parts/Dialog.js";
import { SearchBox } from "../../parts/SearchBox.js";
import { Loadable, Loading } from "../../parts/States.js";
import { appSearch } from "../../url/app-search.js";
import { useSearchState } from "../../url/use-search-state.js";
import styles from "./jobs.module.css";

/** Chooses one cron out of however many there are, by its name. */
export function CronPicker({ onPick }: { onPick: (appId: string, id: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Of a cron…</Button>
      <Dialog open={open} onClose={() => setOpen(false)} title="Jobs of which cron?">
        <Choice
          onPick={(appId, id) => {
            setOpen(false);
            onPick(appId, id);
          }}
        />
      </Dialog>
    </>
  );
}

function Choice({ onPick }: { onPick: (appId: string, id: string) => void }) {
  const [{ app }] = useSearchState(appSearch);
  const [q, setQ] = useState("");
  const query = useInfiniteQuery(cronsQuery({ app, q: q.trim(), state: [], order: "name" }));
  return (
    <>
      <SearchBox label="Search crons" placeholder="Name" value={q} onChange={setQ} />
      <Loadable query={query} loading={<Loading rows={4} />}>
        {({ pages }) => {
          const crons = pages.flatMap(({ items }) => items);
          if (crons.length === 0) return <p className="muted">No cron has such a name.</p>;
          return (
            <ul className={styles.choices}>
              {crons.map(({ cron }) => (
                <li key={cron.id}>
                  <button type="button" onClick={() => onPick(cron.appId, cron.id)}>
                    <strong dir="auto">{cron.name}</strong>
                    <span className="muted small">{cron.appId}</span>
                  </button>
                </li>
              ))}
            </ul>
          );
        }}
      </Loadable>
    </>
  );
}
