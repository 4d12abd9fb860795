import { useNavigate } from "@tanstack/react-router";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { keptChoice } from "../store.js";
import { helpOpen } from "./help-open.js";
import { PAGES } from "./pages.js";

/** Single keys may be switched off: they get in the way of who speaks to the machine. */
export const singleKeys = keptChoice("keys", ["on", "off"], "on");

const SEQUENCE_MS = 1200;

/** `g c` goes to Crons, `/` to the search, `r` refreshes, `?` helps; not while one writes. */
export function useShortcuts(): void {
  const navigate = useNavigate();
  const client = useQueryClient();
  useEffect(() => {
    let pressed = 0;
    const onKey = (event: KeyboardEvent) => {
      if (singleKeys.get() === "off" || isTaken(event)) return;
      const going = event.timeStamp - pressed < SEQUENCE_MS;
      pressed = event.key === "g" ? event.timeStamp : 0;
      const page = going ? PAGES.find(({ key }) => key === event.key) : undefined;
      if (page !== undefined) {
        event.preventDefault();
        void navigate({ to: page.to });
      } else if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("[data-search]");
        if (search === null) return;
        event.preventDefault();
        search.select();
        search.focus();
      } else if (event.key === "?") {
        event.preventDefault();
        helpOpen.set(true);
      } else if (event.key === "r") {
        void client.refetchQueries({ type: "active" });
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, client]);
}

/** By a field, a menu or a dialog, or by another meaning of the key. */
function isTaken({ target, ctrlKey, metaKey, altKey, defaultPrevented }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey || defaultPrevented) return true;
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest("input, textarea, select, [role=menu], [role=dialog], [role=alertdialog]") !==
      null
  );
}
