import { useState } from "react";
import { byIds, type Deed } from "../../jobs/bulk.js";
import { BulkDialog } from "../../jobs/BulkDialog.js";
import { isLive, type ListedJob } from "../../jobs/types.js";
import { Button } from "../../parts/Button.js";
import { SelectionBar } from "../../parts/SelectionBar.js";
import { useGrants } from "../../session/session.js";
import { counted } from "../../time/format.js";

/** What can be done with the selected ones, and with how many of them. */
export function BulkBar({ jobs, onDone }: { jobs: readonly ListedJob[]; onDone: () => void }) {
  const [deed, setDeed] = useState<Deed>();
  const may = useGrants();
  if (jobs.length === 0) return null;
  const mine = jobs.filter(({ appId }) => may(`app:${appId}:job.write`));
  const live = mine.filter(({ status }) => isLive(status));
  const ended = mine.filter(({ status }) => !isLive(status));
  const meant = deed === "cancel" ? live : ended;
  return (
    <SelectionBar of="job" count={jobs.length} onClear={onDone}>
      {mine.length === 0 ? (
        <span className="muted">You may only look at them: job.write is missing.</span>
      ) : (
        <>
          <Button small disabled={live.length === 0} onClick={() => setDeed("cancel")}>
            Cancel {live.length > 0 && counted(live.length, "job")}…
          </Button>
          <Button small disabled={ended.length === 0} onClick={() => setDeed("retry")}>
            Run {ended.length > 0 && counted(ended.length, "job")} again…
          </Button>
        </>
      )}
      {deed !== undefined && (
        <BulkDialog
          deed={deed}
          meant={byIds(meant)}
          what={`${counted(meant.length, "selected job")}`}
          onClose={() => setDeed(undefined)}
          onDone={() => {
            setDeed(undefined);
            onDone();
          }}
        />
      )}
    </SelectionBar>
  );
}
