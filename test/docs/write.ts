import { writeFileSync } from "node:fs";
import { diagnosticsPage } from "./diagnostics-page.ts";

writeFileSync("docs/diagnostics.md", diagnosticsPage());
