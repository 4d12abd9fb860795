import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./Button.js";
import { copyText } from "./copy-text.js";
import { say } from "./toasts.js";

/** Copies a text; where the browser does not let it (plain HTTP), it says how to. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    if (await copyText(text)) {
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } else {
      say({ title: `Copy ${what} by hand`, detail: text, failed: true });
    }
  };
  return (
    <IconButton label={`Copy ${what}`} small onClick={() => void copy()}>
      {done ? <Check size={14} aria-hidden="true" /> : <CopyIcon size={14} aria-hidden="true" />}
    </IconButton>
  );
}
