import { Link } from "@tanstack/react-router";

/** A job by its id. */
export function JobLink({ appId, id }: { appId: string; id: number }) {
  return (
    <Link
      to="/apps/$appId/jobs/$jobId"
      params={{ appId, jobId: String(id) }}
      className="num link"
      aria-label={`Job ${id}`}
    >
      {id}
    </Link>
  );
}
