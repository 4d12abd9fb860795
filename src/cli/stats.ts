import { Option } from "commander";
import { findCron } from "./find-cron.js";
import { apiCommand, overApi } from "./session.js";

interface Options {
  cron?: string;
  from?: string;
  to?: string;
  bucket?: "1m" | "5m" | "15m" | "1h" | "6h" | "1d";
  timezone?: string;
}

const seconds = (value: number | undefined) =>
  value === undefined ? undefined : `${value < 10 ? value.toPrecision(2) : Math.round(value)} s`;

/** How jobs ended, in numbers. */
export const statsCommand = apiCommand("stats")
  .option("--cron <cron>", "of this cron, by name or id")
  .option("--from <time>", "default: 24 hours before --to")
  .option("--to <time>", "default: now")
  .addOption(
    new Option("--bucket <length>", "of a row").choices(["1m", "5m", "15m", "1h", "6h", "1d"]),
  )
  .option("--timezone <zone>", "whose wall clock the rows follow (default: GMT)")
  .addHelpText("after", "\nExample:\n  carillon stats --app crm --bucket 1h")
  .action(
    overApi(async (session, { cron, ...query }: Options) => {
      const app = session.app();
      const { client } = session;
      const stats =
        cron === undefined
          ? await client.stats.ofApp(app, query)
          : await client.stats.ofCron(app, (await findCron(client, app, cron)).id, query);
      if (session.json) {
        session.print(stats, () => "");
        return;
      }
      const busy = stats.buckets.filter(
        ({ completed, failed, canceled }) => completed + failed + canceled > 0,
      );
      const rows = [...busy, { ...stats.total, from: "in all", to: stats.to }];
      session.printTable(
        rows,
        [
          ["FROM", ({ from }) => from],
          ["COMPLETED", ({ completed }) => completed],
          ["FAILED", ({ failed }) => failed],
          ["CANCELED", ({ canceled }) => canceled],
          ["RAN p50", ({ duration }) => seconds(duration?.p50)],
          ["RAN p95", ({ duration }) => seconds(duration?.p95)],
          ["WAITED p95", ({ wait }) => seconds(wait?.p95)],
          ["LAG p99", ({ lag }) => seconds(lag?.p99)],
        ],
        "no jobs",
      );
    }),
  );
