import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { appsQuery } from "../api/queries.js";
import button from "../parts/button.module.css";
import { useGrants } from "../session/session.js";

/** The way to a new cron, for who may make one: in the app that is shown, or the first that is theirs. */
export function NewCronLink({ app }: { app: string }) {
  const { data = [] } = useQuery(appsQuery());
  const grants = useGrants();
  const ids = data.map(({ id }) => id).filter((id) => grants(`app:${id}:cron.write`));
  const appId = app === "" ? ids[0] : ids.find((id) => id === app);
  if (appId === undefined) return null;
  return (
    <Link to="/crons/$appId/new" params={{ appId }} className={button.button} data-look="primary">
      <Plus size={14} aria-hidden="true" /> New cron
    </Link>
  );
}
