/*
 * What a page shows is in its URL: each parameter has a default, which is left out, and a bad value
 * counts as the default. So a URL has one spelling: build(parse(url)) = url for every URL we make.
 */

/** One parameter of a URL. */
export interface Param<T> {
  /** What a text means; the default for none, and for one that means nothing. */
  parse: (text: string | undefined) => T;
  /** Its text; undefined for the default. */
  build: (value: T) => string | undefined;
}

/** Parameters as the router has them: by name, those that differ from their default. */
export type Search<K extends string = string> = Partial<Record<K, string>>;

/** Free text, up to so many characters; "" by default. */
export const text = (most = 200): Param<string> => ({
  parse: (given = "") => given.trim().slice(0, most).trim(),
  build: (value) => value.trim().slice(0, most).trim() || undefined,
});

/** One of a few words; the first is the default unless another is named. */
export const oneOf = <const T extends string>(
  words: readonly [T, ...T[]],
  fallback: T = words[0],
): Param<T> => ({
  parse: (given) => words.find((word) => word === given) ?? fallback,
  build: (value) => (value === fallback ? undefined : value),
});

/** Any number of a few words, in their order; none by default. */
export const someOf = <const T extends string>(words: readonly T[]): Param<readonly T[]> => ({
  parse: (given = "") => {
    const parts = given.split(",");
    return words.filter((word) => parts.includes(word));
  },
  build: (value) => words.filter((word) => value.includes(word)).join(",") || undefined,
});

/** A whole number in a range. */
export const whole = (least: number, most: number, fallback: number): Param<number> => ({
  parse: (given = "") => {
    const value = /^\d{1,15}$/.test(given) ? Number(given) : NaN;
    return value >= least && value <= most ? value : fallback;
  },
  build: (value) => (value === fallback ? undefined : String(value)),
});

/** An instant to the second; none by default. */
export const instant = (): Param<string | undefined> => ({
  parse: toInstant,
  build: toInstant,
});

function toInstant(given: string | undefined): string | undefined {
  if (given === undefined || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(given)) return undefined;
  const time = Date.parse(given);
  if (Number.isNaN(time)) return undefined;
  return new Date(time).toISOString().replace(/\.000Z$/, "Z");
}

type Params<S> = { readonly [K in keyof S]: Param<S[K]> };

/** The parameters of a page. */
export interface SearchSchema<S> {
  /** What a page shows, read from its URL. */
  parse: (search: Readonly<Record<string, unknown>>) => S;
  /** The parameters of a state, in one order. */
  build: (state: S) => Search<keyof S & string>;
  /** As it would have been written: what the router checks a URL with. */
  repair: (search: Readonly<Record<string, unknown>>) => Search<keyof S & string>;
}

export function defineSearch<S extends object>(params: Params<S>): SearchSchema<S> {
  const names = Object.keys(params) as (keyof S & string)[];
  const parse = (search: Readonly<Record<string, unknown>>) => {
    const value = (name: keyof S & string) => {
      const given = search[name];
      return params[name].parse(typeof given === "string" ? given : undefined);
    };
    return Object.fromEntries(names.map((name) => [name, value(name)])) as unknown as S;
  };
  const build = (state: S) => {
    const given = names.map((name) => [name, params[name].build(state[name])] as const);
    return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Search<
      keyof S & string
    >;
  };
  return { parse, build, repair: (search) => build(parse(search)) };
}

/** A query string as flat texts; of a name that comes twice, the first. */
export function parseQuery(query: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) found[name] ??= value;
  return found;
}

/** Its text with the question mark; "" for nothing. Commas, colons and slashes stay readable. */
export function buildQuery(search: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(search).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  if (given.length === 0) return "";
  const text = new URLSearchParams(given).toString();
  return `?${text.replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/")}`;
}
