import { Ban, RotateCcw } from "lucide-react";
import { useState } from "react";
import type { JobApps } from "../../jobs/apps.js";
import { statusesFor, type Deed, type Meant } from "../../jobs/bulk.js";
import { BulkDialog } from "../../jobs/BulkDialog.js";
import { filterOf, isNarrow, type JobChoice } from "../../jobs/choice.js";
import { Button } from "../../parts/Button.js";
import { useGrants } from "../../session/session.js";
import styles from "./jobs.module.css";

/** The same for all that the filters mean, those not read yet among them. */
export function MatchMenu({ apps, choice }: { apps: JobApps; choice: JobChoice }) {
  const [asked, setAsked] = useState<{ deed: Deed; meant: Meant[] }>();
  const may = useGrants();
  const mine = apps.readable.filter((appId) => may(`app:${appId}:job.write`));
  if (mine.length === 0) return null;
  // What is meant is held fast: "the last hour" goes on while one reads the question.
  const ask = (deed: Deed) => {
    const filter = filterOf(choice);
    setAsked({ deed, meant: mine.map((appId) => ({ appId, filter })) });
  };
  const fits = (deed: Deed) => statusesFor(deed, filterOf(choice)).length > 0;
  const all = isNarrow(choice)
    ? "all that match"
    : apps.chosen === ""
      ? "all"
      : `all of ${apps.chosen}`;
  const failed = choice.status.length === 0 ? "all failed ones" : all;
  return (
    <div className={styles.match}>
      <span className="muted small">Not by ticks, but {all}:</span>
      <Button small disabled={!fits("cancel")} onClick={() => ask("cancel")}>
        <Ban size={13} aria-hidden="true" /> Cancel {all}…
      </Button>
      <Button small disabled={!fits("retry")} onClick={() => ask("retry")}>
        <RotateCcw size={13} aria-hidden="true" /> Run {failed} again…
      </Button>
      {asked && (
        <BulkDialog
          deed={asked.deed}
          meant={asked.meant}
          what={asked.deed === "cancel" ? all : failed}
          onClose={() => setAsked(undefined)}
          onDone={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}
