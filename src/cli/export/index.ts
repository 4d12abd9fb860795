import { writeFile } from "node:fs/promises";
import { Option } from "commander";
import { CarillonApiError } from "../../client/index.js";
import { apiCommand, overApi } from "../session.js";
import { manifestOf } from "./manifest-of.js";
import { type Format, manifestText } from "./text.js";

interface ExportOptions {
  format?: Format;
  output?: string;
}

/** Writes an app's crons down as a manifest. */
export const exportCommand = apiCommand("export")
  .addOption(
    new Option("--format <format>", "default: by the file's name, else yaml").choices([
      "yaml",
      "json",
    ]),
  )
  .option("-o, --output <file>", "instead of the standard output")
  .addHelpText(
    "after",
    "\nExample:\n  carillon export --app crm -o crm.yaml && carillon deploy crm.yaml --dry-run",
  )
  .action(
    overApi(async (session, { format, output }: ExportOptions) => {
      const { client } = session;
      const id = session.app();
      const [apps, crons] = await Promise.all([client.apps.list(), client.crons.list(id)]);
      const app = apps.find((one) => one.id === id);
      if (app === undefined) {
        throw new CarillonApiError(404, { code: "app_not_found", detail: `no app "${id}"` });
      }
      const usual = session.json || output?.endsWith(".json") ? "json" : "yaml";
      const text = manifestText(manifestOf(app, crons), format ?? usual);
      if (output === undefined) process.stdout.write(text);
      else {
        await writeFile(output, text);
        session.note(`wrote ${crons.length} crons to ${output}`);
      }
    }),
  );
