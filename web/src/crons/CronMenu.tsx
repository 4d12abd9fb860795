import { useNavigate } from "@tanstack/react-router";
import {
  Copy,
  CopyPlus,
  Database,
  MoreHorizontal,
  Pause,
  Pencil,
  Play,
  RotateCw,
  Terminal,
  Trash2,
} from "lucide-react";
import { useState } from "react";
import { IconButton } from "../parts/Button.js";
import { LazyMenu, MenuItem, MenuSeparator } from "../parts/Menu.js";
import { useGrants } from "../session/session.js";
import { resumeAndSay } from "./actions.js";
import { CronDialogs } from "./CronDialogs.js";
import { askToDelete } from "./delete-cron.js";
import { copyAs } from "./snippets.js";
import type { CronSummary } from "./types.js";

const COPIES = [
  { form: "manifest", text: "Copy as manifest", icon: Copy },
  { form: "sql", text: "Copy as SQL", icon: Database },
  { form: "curl", text: "Copy as curl", icon: Terminal },
] as const;

/** What can be done with a cron; what one may not do is not there. */
export function CronMenu({ summary, onDeleted }: { summary: CronSummary; onDeleted: () => void }) {
  const { cron, can } = summary;
  const [open, setOpen] = useState<"run" | "pause">();
  // There is one in every row of a long list: its dialogs come when they are first asked for.
  const [asked, setAsked] = useState(false);
  const ask = (what: "run" | "pause") => {
    setAsked(true);
    setOpen(what);
  };
  const navigate = useNavigate();
  const mayMake = useGrants()(`app:${cron.appId}:cron.write`);
  const close = () => setOpen(undefined);
  return (
    <>
      <LazyMenu
        trigger={
          <IconButton label={`More for ${cron.name}`} small>
            <MoreHorizontal size={16} aria-hidden="true" />
          </IconButton>
        }
      >
        {() => (
          <>
            {can.includes("trigger") && (
              <MenuItem icon={<Play size={14} />} onClick={() => ask("run")}>
                Run now…
              </MenuItem>
            )}
            {can.includes("write") &&
              (cron.enabled ? (
                <MenuItem icon={<Pause size={14} />} onClick={() => ask("pause")}>
                  Pause…
                </MenuItem>
              ) : (
                <MenuItem icon={<RotateCw size={14} />} onClick={() => void resumeAndSay(cron)}>
                  Resume
                </MenuItem>
              ))}
            {can.includes("write") && (
              <MenuItem
                icon={<Pencil size={14} />}
                onClick={() =>
                  void navigate({
                    to: "/crons/$appId/$cronId/edit",
                    params: { appId: cron.appId, cronId: cron.id },
                  })
                }
              >
                Edit
              </MenuItem>
            )}
            {mayMake && (
              <MenuItem
                icon={<CopyPlus size={14} />}
                onClick={() =>
                  void navigate({
                    to: "/crons/$appId/new",
                    params: { appId: cron.appId },
                    search: { from: cron.id } as never,
                  })
                }
              >
                Duplicate
              </MenuItem>
            )}
            {COPIES.map(({ form, text, icon: Icon }) => (
              <MenuItem
                key={form}
                icon={<Icon size={14} />}
                onClick={() => void copyAs(form, cron)}
              >
                {text}
              </MenuItem>
            ))}
            {can.includes("write") && (
              <>
                <MenuSeparator />
                <MenuItem
                  danger
                  icon={<Trash2 size={14} />}
                  onClick={() => askToDelete(cron, onDeleted)}
                >
                  Delete…
                </MenuItem>
              </>
            )}
          </>
        )}
      </LazyMenu>
      {asked && <CronDialogs cron={cron} open={open} onClose={close} />}
    </>
  );
}
