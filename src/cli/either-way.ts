import { namesApi } from "./connection.js";

/**
 * Two commands, tick and keys create, work over the API and straight in the database alike. --url
 * says the API; otherwise DATABASE_URL says the database; with neither it is the API.
 */
export function usesApi(flags: { url?: string }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (flags.url !== undefined) return true;
  return !env.DATABASE_URL && namesApi(flags, env);
}
