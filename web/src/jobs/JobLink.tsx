import { count } from "../time/format.js";

/** A job by its id. */
export function JobLink({ id }: { appId: string; id: number }) {
  return <span className="num">{count(id)}</span>;
}
