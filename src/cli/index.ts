#!/usr/bin/env node
import { complain } from "./complain.js";
import { exitCodeOf } from "./exit-codes.js";
import { programFor } from "./program.js";

// Whoever reads our output may stop to: `carillon jobs list | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

try {
  await (await programFor(process.argv.slice(2))).parseAsync();
} catch (error) {
  complain(error, (line) => console.error(line));
  process.exitCode = exitCodeOf(error);
}
