import type { DeadLetter } from "carillon/client";
import { jobsChanged } from "../../jobs/actions.js";
import { confirm } from "../../parts/confirm.js";
import { say } from "../../parts/toasts.js";
import { client } from "../../session/session.js";
import { count, counted } from "../../time/format.js";

/** Which letters: some by their ids, or every one of an app. */
export type Meant =
  | { letters: readonly DeadLetter[] }
  | { appId: string; all: true; letters: number; capped: boolean };

type Choice = { ids: number[] } | { all: true };

const IDS = 1000;

/** As the API takes them: app by app, a bounded number at a time. */
function callsFor(meant: Meant): { appId: string; choice: Choice }[] {
  if ("all" in meant) return [{ appId: meant.appId, choice: { all: true } }];
  const apps = new Map<string, number[]>();
  for (const { appId, id } of meant.letters) apps.set(appId, [...(apps.get(appId) ?? []), id]);
  return [...apps].flatMap(([appId, ids]) =>
    Array.from({ length: Math.ceil(ids.length / IDS) }, (_, at) => ({
      appId,
      choice: { ids: ids.slice(at * IDS, (at + 1) * IDS) },
    })),
  );
}

/** Does a thing to all of them, until the server says that none is left. */
async function toAll(
  meant: Meant,
  act: (appId: string, choice: Choice) => Promise<{ done: number; remaining: number }>,
): Promise<number> {
  let total = 0;
  for (const { appId, choice } of callsFor(meant)) {
    for (;;) {
      const { done, remaining } = await act(appId, choice);
      total += done;
      if (remaining === 0 || done === 0) break;
    }
  }
  return total;
}

const sizeOf = (meant: Meant): number => ("all" in meant ? meant.letters : meant.letters.length);

const wordsFor = (meant: Meant): string =>
  "all" in meant
    ? `all ${count(meant.letters)}${meant.capped ? "+" : ""} of ${meant.appId}`
    : counted(meant.letters.length, "letter");

/** Some may have been taken by another meanwhile: that is no error, and is said. */
function report(verb: string, done: number, meant: Meant): void {
  const gone = "all" in meant ? 0 : sizeOf(meant) - done;
  say({
    title: `${verb} ${counted(done, "letter")}`,
    ...(gone > 0 && { detail: `${counted(gone, "letter")} had gone already.` }),
  });
}

/** Asks, and puts letters back to work. */
export function askToRedrive(meant: Meant, onDone: () => void): void {
  confirm({
    title: `Redrive ${wordsFor(meant)}?`,
    body: (
      <p>
        Each becomes a <strong>new</strong> job with the payload and options it had, that starts at
        once and is linked to the one that died. The letters go.
      </p>
    ),
    verb: `Redrive ${counted(sizeOf(meant), "letter")}`,
    run: async () => {
      const done = await toAll(meant, async (appId, choice) => {
        const { redriven, remaining } = await client().deadLetters.redrive(appId, choice);
        return { done: redriven, remaining };
      });
      report("Redrove", done, meant);
      onDone();
      await jobsChanged();
    },
  });
}

/** Asks, has the number typed, and deletes letters for good. */
export function askToDelete(meant: Meant, onDone: () => void): void {
  confirm({
    title: `Delete ${wordsFor(meant)}?`,
    body: (
      <>
        <p>They can never be redriven after that. This cannot be undone.</p>
        <p>The jobs that died stay in the history, with their errors.</p>
      </>
    ),
    verb: `Delete ${counted(sizeOf(meant), "letter")}`,
    danger: true,
    mustType: String(sizeOf(meant)),
    run: async () => {
      const done = await toAll(meant, async (appId, choice) => {
        const { deleted, remaining } = await client().deadLetters.delete(appId, choice);
        return { done: deleted, remaining };
      });
      report("Deleted", done, meant);
      onDone();
      await jobsChanged();
    },
  });
}
