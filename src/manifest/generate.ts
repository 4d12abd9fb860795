import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { manifestJsonSchema } from "./json-schema.js";

// `npm run generate`: writes manifest.schema.json at the top of the project.
const target = fileURLToPath(new URL("../../manifest.schema.json", import.meta.url));
await writeFile(target, `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
