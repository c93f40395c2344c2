/** What OpenSSL and Node find wrong with a certificate, in words. */
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "its chain ends in a certificate that is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its issuer is not known",
  UNABLE_TO_GET_ISSUER_CERT: "its issuer is not known",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its issuer is not known",
  CERT_SIGNATURE_FAILURE: "its signature is wrong",
  CERT_REVOKED: "it was revoked",
  CERT_UNTRUSTED: "it is not trusted",
  CERT_CHAIN_TOO_LONG: "its chain is too long",
  INVALID_CA: "its issuer may not issue certificates",
  INVALID_PURPOSE: "it is not meant for servers",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for other names",
  ERR_TLS_CERT_ALTNAME_FORMAT: "its names cannot be read",
};

/** `undefined` for a code that is not about certificates. */
export const certificateProblem = (code: string): string | undefined =>
  Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
