import { useRef, useState } from "react";
import { Button } from "../../parts/Button.js";
import { copyText } from "../../parts/copy-text.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";
import { Notice } from "../../parts/States.js";
import styles from "./admin.module.css";

interface ShownOnceProps {
  title: string;
  /** What it is called where it is used: `CARILLON_KEY`. */
  variable: string;
  secret: string;
  /** A line that uses it, and what it does. */
  trial: { does: string; line: string };
  onDone: () => void;
}

/**
 * A secret that is never shown again: neither Esc nor a click beside it loses it, only whoever says
 * that it is stored goes on.
 */
export function ShownOnce({ title, variable, secret, trial, onDone }: ShownOnceProps) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<"yes" | "no">();
  const [stored, setStored] = useState(false);
  const copy = async () => {
    const done = await copyText(secret);
    setCopied(done ? "yes" : "no");
    if (!done) {
      field.current?.focus();
      field.current?.select();
    }
  };
  const download = () => {
    const url = URL.createObjectURL(new Blob([`${variable}=${secret}\n`], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = "carillon.env";
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Dialog open title={title} wide>
      <div className={styles.once}>
        <Notice tone="late">
          This is the only time it is shown. Carillon keeps nothing it could show it from again.
        </Notice>
        <div className={styles.secret}>
          <input
            ref={field}
            readOnly
            aria-label={title}
            value={secret}
            onFocus={(event) => event.target.select()}
          />
          <Button look="primary" onClick={() => void copy()}>
            Copy
          </Button>
          <Button onClick={download}>Download .env</Button>
        </div>
        <p role="status" className="small">
          {copied === "yes" && "Copied."}
          {copied === "no" && "This browser lets no page copy: it is selected, press Ctrl C."}
        </p>
        <p className="small muted">{trial.does}</p>
        <pre tabIndex={0}>{trial.line}</pre>
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={stored}
            onChange={(event) => setStored(event.target.checked)}
          />
          I have stored it
        </label>
        <DialogActions>
          <Button
            look="primary"
            refusal={stored ? undefined : "Say first that you have stored it"}
            onClick={onDone}
          >
            Done
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}
