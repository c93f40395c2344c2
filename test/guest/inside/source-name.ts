import { basename } from "node:path";

/** By which a test file is known: it was bundled from a source. */
export const sourceName = (bundle: string): string => basename(bundle).replace(/\.mjs$/, ".ts");
