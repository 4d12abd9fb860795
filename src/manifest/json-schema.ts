import { z } from "zod";
import { Manifest } from "./schema.js";

/** The manifest as JSON Schema, for editors. */
export function manifestJsonSchema(): object {
  return {
    ...z.toJSONSchema(Manifest, { target: "draft-2020-12", io: "input" }),
    title: "Carillon manifest",
  };
}
