import { Search } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Button } from "../parts/Button.js";

const load = () => import("./Palette.js");

const Palette = lazy(async () => {
  const { Palette: component } = await load();
  return { default: component };
});

/** Ctrl K, ⌘ K, or the button: what goes anywhere comes when it is first asked for. */
export function PaletteHost() {
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // Whoever holds Ctrl may be about to press K, and to type on at once.
      if (event.key === "Control" || event.key === "Meta") void load();
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      if (event.altKey || event.shiftKey) return;
      event.preventDefault();
      setAsked(true);
      setOpen((now) => !now);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <Button
        look="quiet"
        aria-label="Go to… (Ctrl K)"
        title="Go to… (Ctrl K)"
        onClick={() => {
          setAsked(true);
          setOpen(true);
        }}
      >
        <Search size={15} aria-hidden="true" />
      </Button>
      {asked && (
        <Suspense fallback={null}>
          <Palette open={open} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
