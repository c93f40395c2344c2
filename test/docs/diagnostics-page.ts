import { diagnosticCodes } from "../../agent/config/diagnostic-codes.ts";

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/** docs/diagnostics.md: the table of codes, for people. */
export function diagnosticsPage(): string {
  const rows = Object.entries(diagnosticCodes).map(([code, entry]) =>
    row([`\`${code}\``, entry.severity, entry.summary, entry.effect, entry.remedy]),
  );
  return `# Findings in a configuration

Written from the table of codes by \`npm run docs\`. An error refuses the file, and one
of a policy that policy; with a warning it runs as the effect says.

${row(["code", "severity", "finding", "effect", "what to do"])}
|---|---|---|---|---|
${rows.join("\n")}
`;
}
