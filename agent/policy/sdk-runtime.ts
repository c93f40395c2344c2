/**
 * What `holdfast/sdk` is inside a bundle. Everything else that the SDK exports is types, and those are
 * gone by then.
 */
export const SDK_RUNTIME = "export const definePolicy = (policy) => policy;\n";
