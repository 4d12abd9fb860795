import { findCron } from "./find-cron.js";
import { whole } from "./parse.js";
import { apiCommand, overApi, type Session, take } from "./session.js";

interface Options {
  cron?: string;
  everything?: true;
  actor?: string;
  action?: string;
  from?: string;
  to?: string;
  limit: number;
}

/** Who changed what. */
export const auditCommand = apiCommand("audit")
  .option("--cron <cron>", "of this cron, by name or id; one that is gone, by its id")
  .option("--everything", "of the whole installation, not of an app")
  .option("--actor <name>", "only by this principal or database role")
  .option("--action <action>", "only this, such as cron.update or cron.*")
  .option("--from <time>", "not before this time")
  .option("--to <time>", "before this time")
  .option("-n, --limit <n>", "rows at most", whole(1), 50)
  .addHelpText("after", "\nExample:\n  carillon audit --app crm --action 'cron.*' -n 20")
  .action(
    overApi(async (session, options: Options) => {
      const { cron, everything, limit, ...filter } = options;
      const query = { ...filter, limit: Math.min(limit, 500) };
      const { client } = session;
      const entries =
        everything === true
          ? client.audit.list(query)
          : cron === undefined
            ? client.audit.ofApp(session.app(), query)
            : client.audit.ofCron(session.app(), await idOf(session, cron), query);
      session.printTable(
        await take(entries, limit),
        [
          ["AT", ({ at }) => at],
          ["WHO", ({ actor }) => actor.name],
          ["VIA", ({ via, keyPrefix }) => keyPrefix ?? via],
          ["ACTION", ({ action }) => action],
          ["OBJECT", ({ object }) => object.name ?? object.id],
          ["CHANGED", ({ before, after }) => Object.keys(after ?? before ?? {}).join(" ")],
          ["REASON", ({ reason }) => reason],
        ],
        "nothing on record",
      );
    }),
  );

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** One that is deleted has a record still, and can only be named by its id. */
const idOf = async (session: Session, cron: string) =>
  UUID.test(cron) ? cron : (await findCron(session.client, session.app(), cron)).id;
