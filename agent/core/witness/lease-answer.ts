/**
 * How a request to the store of leases ended.
 * `held`: ours from the moment before the request was sent, for `ttl`; `epoch` only ever grows from one
 * holding to the next, also over restarts of the store, and compares as text.
 * `taken`: somebody else has it. `lost`: what was to be renewed is ours no more.
 * `unreachable`: nobody answered, or no quorum; nothing is known. `refused`: the store answers, and says
 * that it will never do it: credentials, permissions, TLS, a version.
 */
export type LeaseAnswer =
  | { readonly kind: "held"; readonly epoch: string }
  | { readonly kind: "taken"; readonly holder: string | undefined }
  | { readonly kind: "lost" }
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: string };
