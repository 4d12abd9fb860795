import { CarillonApiError } from "carillon/client";
import { useState, type FormEvent } from "react";
import { problemOf } from "../../api/problem.js";
import { Button } from "../../parts/Button.js";
import { Field } from "../../parts/Field.js";
import { signIn } from "../../session/session.js";
import styles from "./sign-in.module.css";

/** Asks for a key, and says what becomes of it. */
export function SignInForm() {
  const [key, setKey] = useState("");
  const [error, setError] = useState<string>();
  const [pending, setPending] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const given = key.trim();
    if (given === "") {
      setError("Paste your key here; it begins with crl_.");
      return;
    }
    setPending(true);
    setError(undefined);
    try {
      await signIn(given);
    } catch (thrown) {
      const refused = thrown instanceof CarillonApiError && thrown.status === 401;
      const { title, detail } = problemOf(thrown);
      setError(
        refused ? "This key is not known here, or it has been revoked." : `${title}. ${detail}`,
      );
      setPending(false);
    }
  };
  return (
    <form className={styles.form} onSubmit={(event) => void submit(event)}>
      <Field
        label="API key"
        error={error}
        hint="Kept in this tab until you close it, and sent to this server only."
      >
        {(control) => (
          <input
            {...control}
            type="password"
            autoComplete="current-password"
            autoFocus
            spellCheck={false}
            placeholder="crl_…"
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" look="primary" disabled={pending}>
        {pending ? "Checking…" : "Sign in"}
      </Button>
    </form>
  );
}
