/** What is wrong with a URL to call, as the edges say it; undefined when it can be called. */
export function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return "must be an absolute URL";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must be an http or https URL";
  if (url.username !== "" || url.password !== "") {
    return "must not hold a user or password; use an Authorization header with {{secret.NAME}}";
  }
  if (url.port === "0") return "must not name port 0";
  return undefined;
}

export const portOf = (url: URL): number =>
  Number(url.port !== "" ? url.port : url.protocol === "https:" ? 443 : 80);
