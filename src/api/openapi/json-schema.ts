import { z } from "zod";

/** A JSON Schema, or another part of the document. */
export type Json = Record<string, unknown>;

/** Schemas as the document's components, by the names they are registered under. */
export class Components {
  readonly schemas: Record<string, Json> = {};
  readonly #names = new Map<z.ZodType, string>();

  constructor(named: Readonly<Record<string, z.ZodType>>) {
    for (const [name, schema] of Object.entries(named)) this.#names.set(schema, name);
    for (const schema of Object.values(named)) this.of(schema, "output");
  }

  /** The JSON Schema of a schema: of what is sent (input) or answered (output). */
  of(schema: z.ZodType, io: "input" | "output"): Json {
    const {
      $schema: _,
      $defs = {},
      ...root
    } = z.toJSONSchema(schema, {
      target: "draft-2020-12",
      io,
      unrepresentable: "any",
      metadata: this.#metadata as unknown as typeof z.globalRegistry,
    }) as Json & { $defs?: Record<string, Json> };
    for (const [name, part] of Object.entries($defs)) this.#add(name, part);
    const name = this.#names.get(schema);
    if (name === undefined) return moved(root);
    const { id: _id, ...named } = root;
    if (named.$ref === undefined) this.#add(name, named);
    return { $ref: `#/components/schemas/${name}` };
  }

  /** Descriptions come from where zod keeps them, names from here. */
  readonly #metadata = {
    get: (schema: z.ZodType) => {
      const id = this.#names.get(schema);
      const known = z.globalRegistry.get(schema);
      return id === undefined ? known : { ...known, id };
    },
    has: (schema: z.ZodType) => this.#names.has(schema) || z.globalRegistry.has(schema),
  };

  #add(name: string, schema: Json): void {
    const { id: _, ...rest } = schema;
    this.schemas[name] = moved(rest);
  }
}

/** References within one schema, as references within the whole document. */
function moved<T>(value: T): T {
  if (Array.isArray(value)) return value.map(moved) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === "$ref" && typeof inner === "string"
        ? [key, inner.replace("#/$defs/", "#/components/schemas/")]
        : [key, moved(inner as unknown)],
    ),
  ) as T;
}
