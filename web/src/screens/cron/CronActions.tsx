import { useNavigate } from "@tanstack/react-router";
import { History, Pause, Pencil, Play } from "lucide-react";
import { useState } from "react";
import { resumeAndSay } from "../../crons/actions.js";
import { CronDialogs } from "../../crons/CronDialogs.js";
import { CronMenu } from "../../crons/CronMenu.js";
import type { CronSummary } from "../../crons/types.js";
import { Button } from "../../parts/Button.js";
import { BackfillDialog } from "./BackfillDialog.js";

interface CronActionsProps {
  summary: CronSummary;
  onDeleted: () => void;
}

/** The acts one comes here for; what one may not do is there, and says what is missing. */
export function CronActions({ summary, onDeleted }: CronActionsProps) {
  const { cron, can } = summary;
  const [open, setOpen] = useState<"run" | "pause" | "backfill">();
  const navigate = useNavigate();
  const close = () => setOpen(undefined);
  const missing = (verb: "write" | "trigger") =>
    can.includes(verb)
      ? undefined
      : `You may look at this cron, but app:${cron.appId}:cron.${verb} is missing, or it is another's`;
  return (
    <>
      <Button look="primary" refusal={missing("trigger")} onClick={() => setOpen("run")}>
        <Play size={14} aria-hidden="true" /> Run now
      </Button>
      {cron.enabled ? (
        <Button refusal={missing("write")} onClick={() => setOpen("pause")}>
          <Pause size={14} aria-hidden="true" /> Pause
        </Button>
      ) : (
        <Button refusal={missing("write")} onClick={() => void resumeAndSay(cron)}>
          <Play size={14} aria-hidden="true" /> Resume
        </Button>
      )}
      <Button
        refusal={missing("write")}
        onClick={() =>
          void navigate({
            to: "/crons/$appId/$cronId/edit",
            params: { appId: cron.appId, cronId: cron.id },
          })
        }
      >
        <Pencil size={14} aria-hidden="true" /> Edit
      </Button>
      <Button refusal={missing("trigger")} onClick={() => setOpen("backfill")}>
        <History size={14} aria-hidden="true" /> Backfill
      </Button>
      <CronMenu summary={summary} onDeleted={onDeleted} />
      <BackfillDialog cron={cron} open={open === "backfill"} onClose={close} />
      <CronDialogs cron={cron} open={open === "backfill" ? undefined : open} onClose={close} />
    </>
  );
}
