/** What the server tells the page. */
interface PageConfig {
  base: string;
}

const block = document.getElementById("carillon")?.textContent ?? "";
const given = JSON.parse(block) as PageConfig;

/** The path below which the page and the API are, such as `/` or `/ops/carillon/`. */
export const BASE = given.base === "./" ? "/" : given.base;
