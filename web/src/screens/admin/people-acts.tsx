import { useQuery } from "@tanstack/react-query";
import type { Principal } from "carillon/client";
import { problemOf } from "../../api/problem.js";
import { cronsChanged } from "../../crons/actions.js";
import { confirm } from "../../parts/confirm.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants } from "../../session/session.js";
import { counted } from "../../time/format.js";
import { changed } from "./queries.js";

/** What hangs on somebody: counted before they are disabled or deleted. */
function Hangs({ person, then }: { person: Principal; then: "denied" | "orphaned" }) {
  const mayReadKeys = useGrants()("system:key.read");
  const { data, error } = useQuery({
    queryKey: ["principals", "hangs", person.id],
    queryFn: async ({ signal }) => {
      const crons = await client().crons.listAll({ signal });
      const keys = mayReadKeys
        ? (await client().keys.list({ principalId: person.id, limit: "500" }, { signal })).items
        : undefined;
      return {
        crons: crons.filter(({ createdBy, enabled }) => createdBy === person.id && enabled),
        keys: keys?.filter(({ status }) => status === "active").length,
      };
    },
    staleTime: 0,
  });
  if (data === undefined) {
    return <p>{error === null ? "Counting what hangs on it…" : problemOf(error).detail}</p>;
  }
  const { crons, keys } = data;
  const names = crons.slice(0, 3).map(({ appId, name }) => `${appId} / ${name}`);
  const more = crons.length > 3 ? `, and ${crons.length - 3} more` : "";
  return (
    <>
      <p>
        {crons.length === 0
          ? "It owns no enabled cron that you may see."
          : `It owns ${counted(crons.length, "enabled cron")} (${names.join(", ")}${more}): ${
              then === "denied"
                ? "their slots are denied while it is disabled."
                : "they stay, and their slots are denied until somebody takes them over."
            }`}
      </p>
      {keys !== undefined && (
        <p>
          {keys === 0
            ? "It has no key that works."
            : `${counted(keys, "key")} of it ${keys === 1 ? "is" : "are"} ${
                then === "denied" ? "refused meanwhile" : "deleted"
              }.`}
        </p>
      )}
    </>
  );
}

export function askToDisable(person: Principal): void {
  confirm({
    title: `Disable ${person.username}?`,
    body: <Hangs person={person} then="denied" />,
    verb: "Disable",
    danger: true,
    run: async () => {
      await client().principals.update(person.id, { enabled: false });
      say({
        title: `Disabled ${person.username}`,
        action: { label: "Undo", run: () => void enable(person) },
      });
      await Promise.all([changed("principals", "keys"), cronsChanged()]);
    },
  });
}

export async function enable(person: Principal): Promise<void> {
  try {
    await client().principals.update(person.id, { enabled: true });
    say({ title: `Enabled ${person.username}` });
    await Promise.all([changed("principals", "keys"), cronsChanged()]);
  } catch (error) {
    say({
      title: `${person.username} could not be enabled`,
      detail: problemOf(error).detail,
      failed: true,
    });
  }
}

export function askToDelete(person: Principal): void {
  confirm({
    title: `Delete ${person.username}?`,
    body: (
      <>
        <Hangs person={person} then="orphaned" />
        <p>What it did stays in the audit log.</p>
      </>
    ),
    verb: "Delete principal",
    danger: true,
    mustType: person.username,
    ...(person.enabled && {
      instead: { label: "Disable instead", run: () => askToDisable(person) },
    }),
    run: async () => {
      await client().principals.delete(person.id);
      say({ title: `Deleted ${person.username}` });
      await Promise.all([changed("principals", "keys"), cronsChanged()]);
    },
  });
}
