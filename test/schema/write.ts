import { mkdirSync, writeFileSync } from "node:fs";
import { publishedSchema, SCHEMAS } from "./schemas.ts";

// Writes docs/schema anew: node test/run.mjs --exec test/schema/write.ts
mkdirSync("docs/schema", { recursive: true });
for (const name of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
  writeFileSync(`docs/schema/${name}.json`, publishedSchema(name));
}
