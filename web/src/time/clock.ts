import { useSyncExternalStore } from "react";

/*
 * The server's clock: what is due is due by that, whatever the visitor's own clock says. Every answer
 * carries the second it was made in, and was made between its request and its arrival; what all of
 * them allow is known to some ten milliseconds after a few.
 */

let least = -Infinity;
let most = Infinity;
let offset = 0;

/**
 * Learns from an answer.
 *
 * @param date its Date header
 * @param sent when it was asked for, by our clock
 * @param arrived when it came, by our clock
 */
export function learnClock(date: string | null, sent: number, arrived: number): void {
  const second = Date.parse(date ?? "");
  if (Number.isNaN(second)) return;
  const low = second - arrived;
  const high = second + 1000 - sent;
  const [newLeast, newMost] = [Math.max(least, low), Math.min(most, high)];
  // Nothing satisfies them all: one of the clocks was set. Begin anew.
  [least, most] = newLeast <= newMost ? [newLeast, newMost] : [low, high];
  offset = least <= 0 && most >= 0 ? 0 : (least + most) / 2;
}

/** The server's time, in milliseconds since the epoch. */
export const serverNow = (): number => Date.now() + offset;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** One timer for the whole page, at the turn of each second: everything that counts, counts together. */
function turn(): void {
  timer = setTimeout(turn, 1000 - (serverNow() % 1000) + 5);
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) timer = setTimeout(turn, 1000 - (serverNow() % 1000) + 5);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearTimeout(timer);
  };
}

/** The server's time, rounded down to so many milliseconds: a component draws anew once in as many. */
export function useNow(every = 1000): number {
  return useSyncExternalStore(subscribe, () => Math.floor(serverNow() / every) * every);
}
