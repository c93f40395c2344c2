import { writeFileSync } from "node:fs";
import { diagnosticsPage } from "./diagnostics-page.ts";
import { SECTIONS, withSections } from "./sections.ts";

writeFileSync("docs/diagnostics.md", diagnosticsPage());
for (const page of Object.keys(SECTIONS)) writeFileSync(page, withSections(page));
