#!/usr/bin/env node
import { complain } from "./complain.js";
import { exitCodeOf } from "./exit-codes.js";
import { createProgram } from "./program.js";

// Whoever reads our output may stop to: `carillon jobs list | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  complain(error, (line) => console.error(line));
  process.exitCode = exitCodeOf(error);
}
