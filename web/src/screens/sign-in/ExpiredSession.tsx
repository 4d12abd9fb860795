import { Dialog } from "../../parts/Dialog.js";
import { useSession } from "../../session/session.js";
import { SignInForm } from "./SignInForm.js";

/** Over the page of somebody whose key has ended: what they wrote is still there behind it. */
export function ExpiredSession() {
  const session = useSession();
  const expired = session.status === "in" && session.expired;
  return (
    <Dialog open={expired} title="Your key is no longer valid">
      <p>Sign in again to go on where you were. Nothing on this page is lost.</p>
      {expired && <SignInForm />}
    </Dialog>
  );
}
