import type { Cron } from "carillon/client";
import { confirm } from "../parts/confirm.js";
import { say } from "../parts/toasts.js";
import { client } from "../session/session.js";
import { Time } from "../time/Time.js";
import { cronsChanged, pauseAndSay } from "./actions.js";

/** Asks, with what it means, and deletes; pausing is offered instead. */
export function askToDelete(cron: Cron, onDeleted: () => void): void {
  confirm({
    title: `Delete ${cron.name}?`,
    body: (
      <>
        <p>
          {cron.nextFireAt === null ? (
            "It has no slot ahead."
          ) : (
            <>
              Its next slot (<Time at={cron.nextFireAt} zone={cron.timezone} />) and all later ones
              will not fire.
            </>
          )}{" "}
          Jobs that are queued or running go on.
        </p>
        <p>Its slots and jobs stay in the history until their retention ends.</p>
        {cron.origin === "manifest" && (
          <p>It comes from a manifest: the next deploy of {cron.appId} would make it again.</p>
        )}
      </>
    ),
    verb: "Delete cron",
    danger: true,
    ...(cron.enabled && {
      instead: { label: "Pause instead", run: () => void pauseAndSay(cron, "") },
    }),
    run: async () => {
      await client().crons.delete(cron.appId, cron.id, { ifMatch: cron.version });
      say({ title: `Deleted ${cron.name}` });
      onDeleted();
      await cronsChanged();
    },
  });
}
