import { CarillonError } from "../../errors.js";
import { confirm } from "../confirm.js";
import { CRON_FIELDS, cronFieldsOf, withCronOptions } from "../cron-options.js";
import { fieldsIn } from "../fields-file.js";
import { findCron } from "../find-cron.js";
import { list } from "../parse.js";
import { apiCommand, overApi } from "../session.js";
import { show } from "../output/text.js";

type Options = Record<string, unknown>;

export const createCommand = withCronOptions(apiCommand("create", "create a cron"))
  .argument("<name>", "unique within the app")
  .argument("<schedule>", '"0 9 * * 1-5", "10 seconds", "every 90 minutes", "at 2026-05-08T10:30"')
  .option("-f, --file <file>", "further fields, from YAML or JSON; options go before them")
  .option("--disabled", "paused from the start")
  .addHelpText(
    "after",
    `
Examples:
  carillon crons create nightly "0 3 * * *" --app crm --timezone America/New_York
  carillon crons create tick "10 seconds" --app crm --method poll --payload '{"deep": true}'`,
  )
  .action(
    overApi(async (session, name: string, schedule: string, options: Options) => {
      const input = {
        ...(await fieldsIn(options.file as string | undefined)),
        ...cronFieldsOf(options),
        ...(options.disabled ? { enabled: false } : {}),
        ...{ name, schedule },
      };
      const cron = await session.client.crons.create(session.app(), input);
      session.print(
        cron,
        () =>
          `created ${cron.name} (${cron.id}): ${cron.description}, next ${show(cron.nextFireAt)}`,
      );
    }),
  );

export const editCommand = withCronOptions(
  apiCommand("edit", "change fields of a cron; the others stay"),
)
  .argument("<cron>", "name or id")
  .option("--name <name>", "another name")
  .option("--schedule <schedule>", "another schedule")
  .option(
    "--unset <fields>",
    `fields to reset to their defaults: ${CRON_FIELDS.slice(0, 3).join(", ")}, …`,
    list,
  )
  .option("-f, --file <file>", "fields, from YAML or JSON; options go before them")
  .addHelpText(
    "after",
    `
Examples:
  carillon crons edit nightly --app crm --schedule "30 3 * * *" --max-attempts 3
  carillon crons edit nightly --app crm --unset timezone,jitter`,
  )
  .action(
    overApi(async (session, ref: string, options: Options) => {
      const {
        name,
        schedule,
        unset = [],
        file,
      } = options as {
        name?: string;
        schedule?: string;
        unset?: string[];
        file?: string;
      };
      const changes = {
        ...(await fieldsIn(file)),
        ...Object.fromEntries(unset.map((field) => [field, null])),
        ...cronFieldsOf(options),
        ...(name === undefined ? {} : { name }),
        ...(schedule === undefined ? {} : { schedule }),
      };
      if (Object.keys(changes).length === 0) {
        throw new CarillonError("invalid_input", "nothing to change is given", {
          hint: "carillon crons edit --help lists the options",
        });
      }
      const { client } = session;
      const { id } = await findCron(client, session.app(), ref);
      const cron = await client.crons.update(session.app(), id, changes);
      session.print(
        cron,
        () => `changed ${cron.name}: ${cron.description}, next ${show(cron.nextFireAt)}`,
      );
    }),
  );

export const pauseCommand = apiCommand("pause", "pause a cron")
  .argument("<cron>", "name or id")
  .option("--note <text>", "why; shown with the cron")
  .action(
    overApi(async (session, ref: string, { note }: { note?: string }) => {
      const { id } = await findCron(session.client, session.app(), ref);
      const changes = { enabled: false, ...(note === undefined ? {} : { pauseNote: note }) };
      const cron = await session.client.crons.update(session.app(), id, changes);
      session.print(cron, () => `paused ${cron.name}`);
    }),
  );

export const resumeCommand = apiCommand("resume", "let a paused cron fire again")
  .argument("<cron>", "name or id")
  .action(
    overApi(async (session, ref: string) => {
      const { id } = await findCron(session.client, session.app(), ref);
      const cron = await session.client.crons.update(session.app(), id, { enabled: true });
      session.print(cron, () => `resumed ${cron.name}, next ${show(cron.nextFireAt)}`);
    }),
  );

export const deleteCommand = apiCommand("delete", "delete a cron; its history stays")
  .argument("<cron>", "name or id")
  .option("-y, --yes", "do not ask")
  .action(
    overApi(async (session, ref: string, options: { yes?: true }) => {
      const cron = await findCron(session.client, session.app(), ref);
      if (!(await confirm(`Delete the cron ${cron.name} of ${cron.appId}?`, options))) return;
      const answer = await session.client.crons.delete(session.app(), cron.id);
      session.print(answer, () => `deleted ${cron.name}`);
    }),
  );
