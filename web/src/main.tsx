// First: it says in which order the layers of all sheets count.
import "./styles/index.css";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/query-client.js";
import { watchActivity } from "./live/live.js";
import { router } from "./router.js";
import { ErrorState } from "./parts/States.js";
import { SignIn } from "./screens/sign-in/SignIn.js";
import { startSession, useSession } from "./session/session.js";

/** Lets in whoever is known; the others are asked, on the very page they wanted. */
function Gate() {
  const session = useSession();
  switch (session.status) {
    case "starting":
      return null;
    case "unreachable":
      return (
        <main>
          <ErrorState error={new Error(session.problem)} onRetry={() => void startSession()} />
        </main>
      );
    case "out":
      return <SignIn problem={session.problem} />;
    case "in":
      return <RouterProvider router={router} />;
  }
}

watchActivity();
void startSession();

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    {/* The policy lets in no <style>; what would be in them is in our own sheets. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <Gate />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
