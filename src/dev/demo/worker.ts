import { serve } from "../../index.js";
import { demoHooks } from "./app.js";

// The demo app's worker as a process of its own, configured by the environment as any worker is.
serve(
  { app: "demo" },
  demoHooks((line) => {
    console.log(line);
  }),
);
