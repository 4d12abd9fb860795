import { CarillonError } from "../../errors.js";

/** An image's name, taken apart and written out in full. */
export interface ImageReference {
  /** With registry: docker.io/library/busybox. */
  readonly name: string;
  readonly tag: string;
  readonly digest: string | undefined;
}

const REFERENCE =
  /^(?<name>[a-zA-Z0-9][a-zA-Z0-9._-]*(?::\d+(?=\/))?(?:\/[a-z0-9][a-z0-9._-]*)*)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/** Reads an image's name; undefined for what is none. */
export function parseImage(text: string): ImageReference | undefined {
  const { name, tag = "latest", digest } = REFERENCE.exec(text)?.groups ?? {};
  if (name === undefined || text.length > 255) return undefined;
  return { name: inFull(name), tag, digest };
}

/** Where no registry is named, it is Docker Hub's; where no owner is named there, it is library. */
function inFull(name: string): string {
  const [first = "", ...rest] = name.split("/");
  if (rest.length === 0) return `docker.io/library/${name}`;
  return /[.:]/.test(first) || first === "localhost" ? name : `docker.io/${name}`;
}

/** A pattern of images: `*` stands for a part of a name, `**` for any number of parts. */
type Matcher = (image: ImageReference) => boolean;

/** Which images each app may run: none that is not named. */
export class AllowedImages {
  readonly #rules: { app: string; matches: Matcher }[] = [];

  /**
   * @param text `CARILLON_CONTAINER_IMAGES`: `app=pattern`, with commas between; app `*` is any
   * @throws CarillonError `invalid_config`, with the entry at fault
   */
  constructor(text = "") {
    for (const entry of text.split(",").map((part) => part.trim())) {
      if (entry === "") continue;
      const [, app = "", pattern = ""] = /^(\*|[a-z0-9][a-z0-9_-]*)=(\S+)$/.exec(entry) ?? [];
      if (pattern === "") {
        throw new CarillonError(
          "invalid_config",
          `CARILLON_CONTAINER_IMAGES: "${entry}" is not app=pattern`,
          { hint: "for example CARILLON_CONTAINER_IMAGES=crm=registry.example/crm/*,*=busybox:1" },
        );
      }
      this.#rules.push({ app, matches: matcher(pattern) });
    }
  }

  allows(app: string, image: ImageReference): boolean {
    return this.#rules.some(
      (rule) => (rule.app === "*" || rule.app === app) && rule.matches(image),
    );
  }
}

/** Without a tag a pattern takes every tag and digest; with one, that tag and no digest. */
function matcher(pattern: string): Matcher {
  if (pattern === "**") return () => true;
  const [, name = "", tag] = /^(.*?)(?::([^/]*))?$/.exec(pattern) ?? [];
  const ofName = glob(inFull(name));
  const ofTag = tag === undefined ? undefined : glob(tag);
  return (image) =>
    ofName.test(image.name) &&
    // A digest overrules the tag that stands before it.
    (ofTag === undefined || (image.digest === undefined && ofTag.test(image.tag)));
}

function glob(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*?)/)
    .map((part) =>
      part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"),
    );
  return new RegExp(`^${source.join("")}$`);
}
