import type { DigestPage, PageDigest, PageRequest } from "../../../agent/ports/page-digest.ts";
import type { ProbeSockets } from "../../../agent/ports/probe-sockets.ts";
import { since } from "../../network/milliseconds.ts";
import { inWords } from "../conversation.ts";
import { SecureStreams } from "../tls/secure-streams.ts";
import { BodyReading } from "./body-check.ts";
import type { HttpProbe, HttpUrl } from "./http-request.ts";
import { requestText } from "./http-request.ts";
import { fetchOverHttp1 } from "./http1.ts";
import { fetchOverHttp2 } from "./http2.ts";

/** Reads a body for its digest alone: none is wrong, but one that is too long for a check. */
class Page extends BodyReading {
  override problem(): string | undefined {
    return this.digests === undefined ? "the body is longer than 1 MiB: no digest" : undefined;
  }
}

/** The digest that an HTTP_GET would find, by the same client. */
export const pageDigests =
  (openSockets: () => ProbeSockets, wallClock: () => number): DigestPage =>
  async (request) => {
    const begun = performance.now();
    const sockets = openSockets();
    const patience = new AbortController();
    const clock = setTimeout(() => patience.abort(), request.timeoutMs);
    try {
      const secure = new SecureStreams(sockets, wallClock);
      return await digestOf(request, { sockets, secure, signal: patience.signal }, begun);
    } catch (error) {
      return { ok: false, reason: inWords(error) };
    } finally {
      clearTimeout(clock);
      sockets.close();
    }
  };

interface Client {
  readonly sockets: ProbeSockets;
  readonly secure: SecureStreams;
  readonly signal: AbortSignal;
}

async function digestOf(request: PageRequest, client: Client, begun: number): Promise<PageDigest> {
  const url: HttpUrl = {
    ...{ path: request.path, host: request.host, regex: undefined },
    statusCodes: [[100, 999]],
    // That one is wanted at all; which plays no part.
    digest: "",
  };
  const { to, version, serverName } = request;
  const probe: HttpProbe = {
    ...{ kind: "http", to, version, urls: [url] },
    tls: request.secure ? { ...NO_TRUST, serverName } : undefined,
  };
  const page = new Page(url, undefined);
  const check = {
    ...{ url, tls: probe.tls, body: { begin: () => page } },
    request: Buffer.from(requestText(probe, url)),
  };
  const fetch = version === "2" ? fetchOverHttp2 : fetchOverHttp1;
  const { ok, reason, warning } = await fetch({ ...client, probe, check });
  const { digests } = page;
  if (!ok || digests === undefined) return { ok: false, reason };
  return {
    ...{ ok: true, digest: digests.body, framed: digests.framed, bytes: page.length, warning },
    status: Number(reason.replace(/^HTTP /, "")),
    ms: since(begun),
  };
}

const NO_TRUST = {
  ...{ verify: false, caFile: undefined, certificateFile: undefined },
  ...{ keyFile: undefined, keyPassword: undefined },
} as const;
