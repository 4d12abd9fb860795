import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../web/src/", import.meta.url));
const sheets = readdirSync(root, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".css"));
const read = (name: string) => readFileSync(join(root, name), "utf8");

/** The tokens of both themes. */
function tokens(): { light: Map<string, string>; dark: Map<string, string> } {
  const light = new Map<string, string>();
  const dark = new Map<string, string>();
  for (const [, name = "", value = ""] of read("styles/tokens.css").matchAll(
    /--([\w-]+): ([^;]+);/g,
  )) {
    const [, forLight = value, forDark = value] =
      /^light-dark\((#\w{6}), (#\w{6})\)$/.exec(value) ?? [];
    light.set(name, forLight);
    dark.set(name, forDark);
  }
  return { light, dark };
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ["page", "surface", "raised", "sunken", "hover", "accent-soft"];
const TEXTS = ["text", "text-2", "text-3", "accent", "ok", "failed", "missed", "late", "running"];

describe.each(Object.entries(tokens()))("colours in the %s theme", (_, theme) => {
  const colour = (name: string) => theme.get(name) ?? "";

  test("of text stand out by 4.5 : 1 from every ground", () => {
    const poor = GROUNDS.flatMap((ground) =>
      TEXTS.map((text) => [text, ground, contrast(colour(text), colour(ground))] as const),
    ).filter(([, , ratio]) => !(ratio >= 4.5));
    expect(poor).toEqual([]);
  });

  test("of what is drawn, and of the edges of controls, by 3 : 1", () => {
    for (const ground of ["page", "surface", "raised", "sunken", "hover"]) {
      for (const drawn of ["skipped", "line-strong"]) {
        expect(contrast(colour(drawn), colour(ground)), `${drawn} on ${ground}`).toBeGreaterThan(3);
      }
    }
  });

  test("of words on solid buttons by 4.5 : 1", () => {
    for (const solid of [
      "accent-solid",
      "accent-solid-hover",
      "danger-solid",
      "danger-solid-hover",
    ]) {
      expect(contrast(colour("on-accent"), colour(solid)), solid).toBeGreaterThanOrEqual(4.5);
    }
  });

  test("of outcomes are legible on their soft grounds", () => {
    for (const tone of ["ok", "failed", "missed", "late"]) {
      expect(contrast(colour("text"), colour(`${tone}-soft`)), tone).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe("sheets", () => {
  test("name colours and sizes of text by tokens alone", () => {
    for (const name of sheets.filter((sheet) => sheet.endsWith(".module.css"))) {
      const bare = read(name).replace(/light-dark\([^;]*;/g, "");
      expect(bare, name).not.toMatch(/#[0-9a-f]{3,8}\b|font-size: [\d.]+(px|rem)/i);
    }
  });

  test("are each in a layer", () => {
    for (const name of sheets.filter((sheet) => sheet.endsWith(".module.css"))) {
      expect(read(name).trimStart(), name).toMatch(/^@layer components \{/);
    }
  });
});
