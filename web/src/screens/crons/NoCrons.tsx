import { Button } from "../../parts/Button.js";
import { EmptyState } from "../../parts/States.js";
import { Json } from "../../parts/Json.js";

const EXAMPLE = { crons: [{ name: "nightly", schedule: "0 3 * * *", timezone: "Europe/Berlin" }] };

interface NoCronsProps {
  app: string;
  filtered: boolean;
  onClear: () => void;
}

/** Why there are none, and what to do. */
export function NoCrons({ app, filtered, onClear }: NoCronsProps) {
  if (filtered) {
    return (
      <EmptyState title="No cron matches these filters">
        <Button small onClick={onClear}>
          Clear the filters
        </Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title={app === "" ? "No crons yet" : `No crons in ${app} yet`}>
      <p>
        A cron is a named schedule. Each of its due times becomes one row in a ledger that says what
        was decided, and why. Declare one in your app&apos;s manifest and deploy it with{" "}
        <code>carillon deploy</code>:
      </p>
      <Json value={EXAMPLE} what="an example of a manifest" />
    </EmptyState>
  );
}
