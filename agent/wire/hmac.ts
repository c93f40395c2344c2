/** Keyed hash of RFC 2104. Handed in, as this layer has no cryptography of its own. */
export type Hmac = (algorithm: "md5" | "sha256", key: Uint8Array, data: Uint8Array) => Uint8Array;
