import type { Json } from "./json-schema.js";

/*
 * The reference as one page of plain HTML: no script, nothing from elsewhere, and so a policy that
 * lets neither in. It is written once from the OpenAPI document.
 */

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: [string];
  parameters: Json[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, Json>;
}

/** The page for a document. */
export function referencePage(document: Json): string {
  const { info, paths, tags, components } = document as {
    info: { title: string; version: string; description: string };
    paths: Record<string, Record<string, Operation>>;
    tags: { name: string }[];
    components: { schemas: Record<string, Json>; responses: Record<string, Json> };
  };
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = tags.map(({ name }) => ({
    name,
    operations: all.filter(({ operation }) => operation.tags[0] === name),
  }));
  const nav = groups.map(
    ({ name, operations }) => markup`<h2>${name}</h2>
      <ul>
        ${operations.map(({ operation: { operationId } }) => markup`<li><a href="#${operationId}">${operationId}</a></li>`)}
      </ul>`,
  );
  const main = groups.map(
    ({ name, operations }) => markup`<section><h2>${name}</h2>
      ${operations.map(({ path, method, operation }) => article(path, method, operation, components))}
    </section>`,
  );
  const shapes = Object.entries(components.schemas).map(
    ([name, schema]) =>
      markup`<article id="schema-${name}"><h3>${name}</h3>${shape(schema)}</article>`,
  );
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API ${info.version}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<nav aria-label="Operations"><p><strong>${info.title}</strong> ${info.version}<br><a href="/openapi.json">openapi.json</a></p>${nav}<h2>shapes</h2><ul>${Object.keys(components.schemas).map((name) => markup`<li><a href="#schema-${name}">${name}</a></li>`)}</ul></nav>
<main>
<h1>${info.title} API</h1>
<p>${prose(info.description)}</p>
<pre><code>curl -H "Authorization: Bearer $KEY" "$URL/api/v1/crons"</code></pre>
${main}
<section><h2>Shapes</h2>${shapes}</section>
</main>
</body>
</html>
`.text;
}

/** HTML that is safe to put into HTML; everything else is escaped. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | undefined | readonly Part[];

const markup = (strings: TemplateStringsArray, ...parts: Part[]) =>
  new Html(strings.map((text, at) => text + render(parts[at])).join(""));

function render(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(render).join("");
  return `${part}`.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Text with `code` in it. */
const prose = (text: string) =>
  text.split("`").map((part, at) => (at % 2 === 0 ? part : markup`<code>${part}</code>`));

function article(
  path: string,
  method: string,
  operation: Operation,
  components: { responses: Record<string, Json> },
): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const own = parameters.filter((parameter) => parameter.$ref === undefined);
  const heads = parameters.filter((parameter) => parameter.$ref !== undefined).map(nameOf);
  const answers = Object.entries(responses);
  const content = Object.values(requestBody?.content ?? {})[0];
  return markup`<article id="${operationId}">
<h3><a href="#${operationId}"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></a></h3>
<p>${summary}.</p>
<p class="needs">${prose(description)}</p>
${own.length === 0 ? undefined : markup`<h4>Parameters</h4>${table(own.map(({ name, schema, description, required, in: where }) => row(name as string, schema as Json, description as string, required === true, where as string)))}`}
${content === undefined ? undefined : markup`<h4>Body${requestBody?.required === true ? "" : " (optional)"}</h4>${shape(content.schema)}`}
${heads.length === 0 ? undefined : markup`<p class="headers">Headers: ${heads.join(", ")}</p>`}
<h4>Answers</h4>
<ul class="answers">${answers.map(([status, answer]) => markup`<li><b>${status}</b> ${answerOf(answer, components)}</li>`)}</ul>
</article>`;
}

function answerOf(answer: Json, { responses }: { responses: Record<string, Json> }): Part {
  if (answer.$ref !== undefined) return responses[nameOf(answer)]?.description as string;
  const content = answer.content as Record<string, { schema: Json }> | undefined;
  if (content === undefined) return answer.description as string;
  return Object.entries(content).map(([type, { schema }]) =>
    type === "application/json"
      ? markup`${typeOf(schema)}${schema.properties === undefined ? undefined : shape(schema)}`
      : markup`<code>${type}</code> `,
  );
}

const nameOf = ({ $ref }: Json) => String($ref).split("/").at(-1) ?? "";

function shape(schema: Json): Html {
  if (schema.properties === undefined) return markup`<p>${typeOf(schema)}</p>`;
  const required = (schema.required ?? []) as string[];
  const rows = Object.entries(schema.properties as Record<string, Json>).map(([name, part]) =>
    row(name, part, part.description as string | undefined, required.includes(name)),
  );
  return table(rows);
}

const table = (rows: Html[]) => markup`<table><tbody>${rows}</tbody></table>`;

const row = (name: string, schema: Json, text = "", required: boolean, where?: string) =>
  markup`<tr><th scope="row"><code>${name}</code>${required ? markup` <i>required</i>` : undefined}</th><td>${typeOf(schema)}${where === undefined ? undefined : markup` <small>${where}</small>`}</td><td>${prose(text)}${limits(schema)}</td></tr>`;

interface Limits extends Json {
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

function limits({ minimum, maximum, minLength, maxLength, examples }: Limits): Part {
  const range = (low: number | undefined, high: number | undefined, unit: string) =>
    low === undefined && high === undefined
      ? undefined
      : markup` <small>${low ?? "…"}–${high ?? "…"}${unit}</small>`;
  const first = Array.isArray(examples) ? (examples[0] as unknown) : undefined;
  return [
    range(minimum, maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum, ""),
    range(minLength, maxLength, " characters"),
    typeof first === "string"
      ? markup` <small>for example <code>${first}</code></small>`
      : undefined,
  ];
}

function typeOf(schema: Json): Part {
  if (schema.$ref !== undefined) {
    return markup`<a href="#schema-${nameOf(schema)}">${nameOf(schema)}</a>`;
  }
  const choices = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (choices !== undefined) return joined(choices.map(typeOf));
  if (Array.isArray(schema.enum)) {
    return joined(schema.enum.map((value) => markup`<code>${JSON.stringify(value)}</code>`));
  }
  if (schema.const !== undefined) return markup`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.type === "array") return ["array of ", typeOf((schema.items ?? {}) as Json)];
  if (schema.format === "date-time") return "time";
  if (schema.format === "uuid" || schema.format === "guid") return "UUID";
  return Array.isArray(schema.type) ? schema.type.join(" or ") : ((schema.type as string) ?? "any");
}

const joined = (parts: Part[]): Part =>
  parts.flatMap((part, at) => (at === 0 ? [part] : [" or ", part]));
