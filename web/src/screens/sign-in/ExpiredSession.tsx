import { useState } from "react";
import { problemOf } from "../../api/problem.js";
import { Button } from "../../parts/Button.js";
import { Dialog } from "../../parts/Dialog.js";
import { resumeSession, useSession } from "../../session/session.js";
import { SignInForm } from "./SignInForm.js";
import styles from "./sign-in.module.css";

/** Over the page of somebody whose key or session has ended: what they wrote is still there behind it. */
export function ExpiredSession() {
  const session = useSession();
  const expired = session.status === "in" && session.expired;
  const byCookie = session.status === "in" && session.me.key === null;
  return (
    <Dialog
      open={expired}
      title={byCookie ? "Your session has ended" : "Your key is no longer valid"}
    >
      <p>
        {byCookie
          ? "Sign in where you do, in another tab, and go on here; or go on by a key."
          : "Sign in again to go on where you were."}{" "}
        Nothing on this page is lost.
      </p>
      {expired && byCookie && <GoOn />}
      {expired && <SignInForm />}
    </Dialog>
  );
}

/** Tries the cookie again: it may have been renewed by another tab. */
function GoOn() {
  const [problem, setProblem] = useState<string>();
  const resume = () =>
    resumeSession().catch((error: unknown) => {
      const { kind, detail } = problemOf(error);
      setProblem(kind === "refused" ? "There is no session yet." : detail);
    });
  return (
    <div className={styles.form}>
      <Button look="primary" onClick={() => void resume()}>
        I have signed in
      </Button>
      {problem && <p role="alert">{problem}</p>}
    </div>
  );
}
