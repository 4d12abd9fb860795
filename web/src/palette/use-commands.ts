import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { appsQuery } from "../api/queries.js";
import { pauseAndSay, resumeAndSay } from "../crons/actions.js";
import { cronQuery } from "../crons/queries.js";
import { maySee, PARTS } from "../screens/admin/parts.js";
import { client, useGrants, useMe } from "../session/session.js";
import { PAGES } from "../shell/pages.js";
import { setTheme } from "../shell/theme.js";

/** Something to go to, or to do. */
export interface Command {
  id: string;
  group: string;
  text: string;
  hint?: string;
  run: () => void;
}

const PAUSE_MS = 120;

/** What fits what is typed: what can be done here first, then jobs, crons and pages. */
export function useCommands(query: string): { commands: Command[]; searching: boolean } {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ text, hint }: Command) =>
    words.every((word) => `${text} ${hint ?? ""}`.toLowerCase().includes(word));
  const here = useHere().filter(fits);
  const pages = usePages().filter(fits);
  const jobs = useJobs(query);
  const crons = useCrons(query);
  return {
    commands: [...here, ...jobs.commands, ...crons.commands, ...pages],
    searching: jobs.searching || crons.searching,
  };
}

function useGo() {
  const navigate = useNavigate();
  return (to: string, params: Record<string, string> = {}) =>
    void navigate({ to, params } as never);
}

function usePages(): Command[] {
  const go = useGo();
  const grants = useGrants();
  const { permissions } = useMe();
  const { data = [] } = useQuery(appsQuery());
  const mine = data.map(({ id }) => id).filter((id) => grants(`app:${id}:cron.write`));
  return [
    ...PAGES.map(({ to, text, key }) => ({
      id: to,
      group: "Pages",
      text,
      hint: `g ${key}`,
      run: () => go(to),
    })),
    ...PARTS.filter((part) => maySee(part, permissions, grants)).map(({ to, text }) => ({
      id: to,
      group: "Pages",
      text,
      hint: "Admin",
      run: () => go(to),
    })),
    ...mine.slice(0, 20).map((appId) => ({
      id: `new ${appId}`,
      group: "Pages",
      text: `New cron in ${appId}`,
      run: () => go("/crons/$appId/new", { appId }),
    })),
    ...(["light", "dark", "system"] as const).map((theme) => ({
      id: `theme ${theme}`,
      group: "Pages",
      text: `Theme: ${theme}`,
      run: () => setTheme(theme),
    })),
  ];
}

/** What can be done with the cron whose page is open. */
function useHere(): Command[] {
  const { appId = "", cronId = "" } = useParams({ strict: false });
  const go = useGo();
  const { data } = useQuery({ ...cronQuery(appId, cronId), enabled: cronId !== "" });
  if (data === undefined) return [];
  const { cron, can } = data;
  const params = { appId, cronId };
  const group = "Here";
  return can.includes("write")
    ? [
        {
          ...{ id: "edit", group, text: `Edit ${cron.name}` },
          run: () => go("/crons/$appId/$cronId/edit", params),
        },
        cron.enabled
          ? {
              ...{ id: "pause", group, text: `Pause ${cron.name}` },
              run: () => void pauseAndSay(cron, ""),
            }
          : {
              ...{ id: "resume", group, text: `Resume ${cron.name}` },
              run: () => void resumeAndSay(cron),
            },
      ]
    : [];
}

/** The text after a short pause. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function useCrons(query: string): { commands: Command[]; searching: boolean } {
  const go = useGo();
  const q = useSettled(query.trim());
  const { data, isFetching } = useQuery({
    queryKey: ["crons", "palette", q],
    queryFn: async ({ signal }) =>
      (await client().crons.summaries({ q, order: "name", limit: "12" }, { signal })).items,
    enabled: q !== "",
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const found = q === "" || query.trim() === "" ? [] : (data ?? []);
  return {
    commands: found.map(({ cron, sentence }) => ({
      id: cron.id,
      group: "Crons",
      text: `${cron.appId} / ${cron.name}`,
      hint: sentence.length > 40 ? cron.schedule : sentence,
      run: () => go("/crons/$appId/$cronId", { appId: cron.appId, cronId: cron.id }),
    })),
    searching: isFetching || q !== query.trim(),
  };
}

/** A job has its number in the whole installation; whose it is, only its app knows. */
function useJobs(query: string): { commands: Command[]; searching: boolean } {
  const go = useGo();
  const grants = useGrants();
  const { data: apps = [] } = useQuery(appsQuery());
  const typed = /^(?:job\s*)?#?(\d[\d,]{0,18})$/i.exec(query.trim())?.[1]?.replaceAll(",", "");
  const id = useSettled(typed ?? "");
  const { data, isFetching } = useQuery({
    queryKey: ["jobs", "palette", id],
    queryFn: async ({ signal }) => {
      const readable = apps.map((app) => app.id).filter((app) => grants(`app:${app}:job.read`));
      const asked = readable
        .slice(0, 20)
        .map((appId) => client().jobs.get(appId, Number(id), { signal, maxRetries: 0 }));
      const answers = await Promise.allSettled(asked);
      return answers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    },
    enabled: id !== "" && apps.length > 0,
    staleTime: 10_000,
  });
  const found = typed === undefined || typed !== id ? [] : (data ?? []);
  return {
    commands: found.map(({ appId, msgId, status }) => ({
      id: `job ${appId} ${msgId}`,
      group: "Jobs",
      text: `Job ${msgId}`,
      hint: `${appId} · ${status}`,
      run: () => go("/apps/$appId/jobs/$jobId", { appId, jobId: String(msgId) }),
    })),
    searching: typed !== undefined && (isFetching || typed !== id),
  };
}
