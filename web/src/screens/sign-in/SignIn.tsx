import { SignInForm } from "./SignInForm.js";
import styles from "./sign-in.module.css";

/** The page of whoever is not signed in; the URL stays, and is shown after. */
export function SignIn({ problem }: { problem?: string | undefined }) {
  return (
    <main className={styles.page}>
      <title>Sign in · Carillon</title>
      <div className={styles.card}>
        <h1>Sign in to Carillon</h1>
        {problem && <p role="status">{problem}</p>}
        <SignInForm />
        <details className={styles.help}>
          <summary>Where do I get a key?</summary>
          <p>
            Somebody with access makes one for you with <code>carillon keys create</code>. The first
            key of an installation is printed once, when <code>carillon serve</code> starts on a new
            database.
          </p>
        </details>
      </div>
    </main>
  );
}
