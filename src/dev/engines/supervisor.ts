import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";

import { cleanEnvironment } from "./processes.js";

/**
 * The server's parent is this little shell, which reads commands from a pipe that only we hold.
 * However we end, SIGKILL included, the kernel closes the pipe; the shell then stops the server by
 * the signal $1 and removes the throw-away folder $2. It runs in a session of its own, so that
 * Ctrl-C in a terminal reaches us and not the server.
 */
const SUPERVISOR = `
signal=$1 remove=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
trap 'kill -INT $server' TERM INT HUP
(
  trap - TERM INT HUP
  while read -r mode <&3; do
    case $mode in
      immediate) kill -QUIT $server ;;
      leave) exec sleep 2147483647 3<&- ;;
      *) kill -INT $server ;;
    esac
  done
  trap '' TERM
  kill -$signal $server
  exit 7
) 2>/dev/null &
reader=$!
exec 3<&-
while :; do
  wait $server; code=$?
  kill -0 $server 2>/dev/null || break
done
kill $reader 2>/dev/null
wait $reader
if [ $? -eq 7 ]; then rm -rf -- "$remove"; fi
exit $code
`;

/** A server process under its supervisor. */
export class SupervisedServer {
  private readonly shell: ChildProcess;
  /** Resolves when the server has ended and the supervisor with it. */
  readonly ended: Promise<void>;
  private running = true;

  /** If we die, the server gets `orphaned.signal`, and then the folder `orphaned.remove` goes. */
  constructor(
    argv: readonly string[],
    logFile: string,
    orphaned: { signal: "INT" | "QUIT"; remove: string },
  ) {
    const log = openSync(logFile, "a");
    try {
      const { signal, remove } = orphaned;
      const args = ["-c", SUPERVISOR, "carillon-postgres", signal, remove, ...argv];
      this.shell = spawn("sh", args, {
        cwd: "/",
        detached: true,
        stdio: ["pipe", log, log],
        env: cleanEnvironment(),
      });
    } finally {
      closeSync(log);
    }
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.running = false;
        resolve();
      };
      this.shell.once("exit", end);
      this.shell.once("error", end);
    });
    this.shell.stdin?.on("error", () => undefined);
    // A program that forgets to close its engine may end; the supervisor sees to the rest.
    this.shell.unref();
    (this.shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }

  get isRunning(): boolean {
    return this.running;
  }

  /** Asks the server to stop and waits until it has. */
  async stop(mode: "fast" | "immediate"): Promise<void> {
    if (!this.running) return;
    this.shell.ref();
    this.shell.stdin?.write(`${mode}\n`);
    const timer = setTimeout(() => this.shell.stdin?.write("immediate\n"), 20_000);
    await this.ended;
    clearTimeout(timer);
    this.shell.stdin?.destroy();
  }

  /** Lets the server live on after us. */
  leave(): void {
    this.shell.stdin?.write("leave\n");
  }
}
