import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The endpoint that is called, in a process of its own; it ends with its stdin. */
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.setHeader("Content-Type", "application/json");
    response.end('{"ok":true}');
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port);
});
process.stdin.resume().on("end", () => process.exit());
