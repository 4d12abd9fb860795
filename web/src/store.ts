import { useSyncExternalStore } from "react";

/** A value that components follow. */
export interface Store<T> {
  get: () => T;
  set: (value: T) => void;
  subscribe: (listener: () => void) => () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.subscribe, store.get);

/** A choice that this browser keeps; what is stored and not (any more) a choice counts as none. */
export function keptChoice<T extends string>(
  name: string,
  choices: readonly T[],
  fallback: T,
): Store<T> {
  const key = `carillon.${name}`;
  const found = choices.find((choice) => choice === read(key));
  const store = createStore<T>(found ?? fallback);
  store.subscribe(() => write(key, store.get()));
  return store;
}

// Storage may be closed to the page: then nothing is kept, and everything else works.
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Not kept.
  }
}
