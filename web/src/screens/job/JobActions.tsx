import { useNavigate } from "@tanstack/react-router";
import { Ban, Copy, MoreHorizontal, PencilLine, RotateCcw } from "lucide-react";
import { useState } from "react";
import { askToRetry } from "../../jobs/actions.js";
import { EnqueueDialog } from "../../jobs/EnqueueDialog.js";
import { isLive, type Job } from "../../jobs/types.js";
import { Button, IconButton } from "../../parts/Button.js";
import { Menu, MenuItem } from "../../parts/Menu.js";
import { useGrants } from "../../session/session.js";
import { CancelDialog } from "./CancelDialog.js";
import { EditDialog } from "./EditDialog.js";

/** What can be done with a job; what one may not do is there, and says what is missing. */
export function JobActions({ job }: { job: Job }) {
  const { appId, status } = job;
  const [open, setOpen] = useState<"cancel" | "edit" | "copy">();
  const close = () => setOpen(undefined);
  const may = useGrants();
  const navigate = useNavigate();
  const show = (id: number, app = appId) =>
    void navigate({
      to: "/apps/$appId/jobs/$jobId",
      params: { appId: app, jobId: String(id) },
    });
  const write = `app:${appId}:job.write`;
  const refusal = may(write) ? undefined : `You may look at this job, but ${write} is missing`;
  const waits = status === "pending" || status === "queued";
  return (
    <>
      {waits && (
        <Button refusal={refusal} onClick={() => setOpen("edit")}>
          <PencilLine size={14} aria-hidden="true" /> Change
        </Button>
      )}
      {isLive(status) ? (
        <Button refusal={refusal} onClick={() => setOpen("cancel")}>
          <Ban size={14} aria-hidden="true" /> Cancel
        </Button>
      ) : (
        <Button look="primary" refusal={refusal} onClick={() => askToRetry(job, show)}>
          <RotateCcw size={14} aria-hidden="true" /> Run again
        </Button>
      )}
      {may(`app:${appId}:invoke`) && (
        <Menu
          trigger={
            <IconButton label={`More for job ${job.msgId}`}>
              <MoreHorizontal size={16} aria-hidden="true" />
            </IconButton>
          }
        >
          <MenuItem icon={<Copy size={14} />} onClick={() => setOpen("copy")}>
            Enqueue one like it…
          </MenuItem>
        </Menu>
      )}
      <CancelDialog
        job={job}
        running={status === "running"}
        open={open === "cancel"}
        onClose={close}
      />
      <EditDialog job={job} open={open === "edit"} onClose={close} />
      <EnqueueDialog
        open={open === "copy"}
        onClose={close}
        appIds={[appId]}
        payload={job.payload ?? {}}
        onEnqueued={(app, id) => show(id, app)}
      />
    </>
  );
}
