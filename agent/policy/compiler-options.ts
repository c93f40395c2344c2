/** How policies are compiled, by us and in editors: nothing of Node or a browser is there. */
export const COMPILER_OPTIONS = {
  target: "es2023",
  module: "esnext",
  moduleResolution: "bundler",
  lib: ["es2023"],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitReturns: true,
  noFallthroughCasesInSwitch: true,
  isolatedModules: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
} as const;

/** What the SDK's modules are called, and where they are. */
export const sdkPaths = (sdk: string): Readonly<Record<string, readonly string[]>> => ({
  "holdfast/sdk": [`${sdk}/index.ts`],
  "holdfast/sdk/testing": [`${sdk}/testing.ts`],
});
