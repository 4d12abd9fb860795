import { Link } from "@tanstack/react-router";
import { Button } from "../../parts/Button.js";
import { EmptyState } from "../../parts/States.js";
import styles from "./jobs.module.css";

/** Why there are none, and what to do. */
export function NoJobs({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState title="No job matches these filters">
        <Button small onClick={onClear}>
          Clear the filters
        </Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No jobs yet">
      <p className={styles.prose}>
        A slot of a cron makes one, and so does <em>Run now</em> on{" "}
        <Link to="/crons" className="link">
          any of your crons
        </Link>
        . It appears here at once.
      </p>
    </EmptyState>
  );
}
