import { CarillonApiError } from "carillon/client";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { expireSession } from "../session/session.js";

function watch(error: unknown): void {
  if (error instanceof CarillonApiError && error.status === 401) expireSession();
}

/** Everything the page knows of the server. The client retries; what fails after that is shown. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: watch }),
  mutationCache: new MutationCache({ onError: watch }),
  defaultOptions: {
    queries: { retry: false, networkMode: "always", staleTime: 1000 },
    mutations: { retry: false, networkMode: "always" },
  },
});
