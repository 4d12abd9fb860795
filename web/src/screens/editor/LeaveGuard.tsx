import { useBlocker } from "@tanstack/react-router";
import { Button } from "../../parts/Button.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";

interface LeaveGuardProps {
  /** Asked at the moment of leaving: what was saved a moment ago is not lost. */
  dirty: () => boolean;
  onLeave: () => void;
}

/** Asks once before what was typed is left behind. */
export function LeaveGuard({ dirty, onLeave }: LeaveGuardProps) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => current.pathname !== next.pathname && dirty(),
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  return (
    <Dialog open={status === "blocked"} onClose={() => reset?.()} title="Leave without saving?">
      <p>What you changed here is not saved.</p>
      <DialogActions>
        <Button onClick={() => reset?.()}>Stay</Button>
        <Button
          look="danger"
          onClick={() => {
            onLeave();
            proceed?.();
          }}
        >
          Leave without saving
        </Button>
      </DialogActions>
    </Dialog>
  );
}
