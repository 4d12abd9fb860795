import { type CarillonClient, CarillonApiError, type Cron } from "../client/index.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A cron by its name or its id. */
export async function findCron(client: CarillonClient, app: string, ref: string): Promise<Cron> {
  if (UUID.test(ref)) return client.crons.get(app, ref);
  const crons = await client.crons.list(app);
  const cron = crons.find(({ name }) => name === ref);
  if (cron !== undefined) return cron;
  throw new CarillonApiError(404, {
    code: "cron_not_found",
    detail: `app "${app}" has no cron named "${ref}"`,
    hint: `carillon crons list --app ${app} shows those it has`,
  });
}
