import type { ReactNode } from "react";
import type { Problem } from "../../api/problem.js";
import { Button } from "../../parts/Button.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";
import styles from "./admin.module.css";

interface FormDialogProps {
  title: string;
  verb: string;
  open: boolean;
  onClose: () => void;
  form: {
    submit: (event: { preventDefault: () => void }) => void;
    pending: boolean;
    problem: Problem | undefined;
  };
  wide?: boolean;
  children: ReactNode;
}

/** A form over the page: it stays while it is being done, and says what was wrong. */
export function FormDialog({ title, verb, open, onClose, form, wide, children }: FormDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title} wide={wide ?? false}>
      <form onSubmit={form.submit} className={styles.form} noValidate>
        {children}
        {form.problem && (
          <p role="alert" className={styles.problem}>
            <strong>{form.problem.title}.</strong> {form.problem.detail}
          </p>
        )}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={form.pending}>
            {form.pending ? "Working…" : verb}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
