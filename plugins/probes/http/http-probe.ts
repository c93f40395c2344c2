import type { ProbeSockets } from "../../../agent/ports/probe-sockets.ts";
import type { ProbeOutcome, RunProbe } from "../../../agent/ports/server-probes.ts";
import { since } from "../../network/milliseconds.ts";
import { inWords } from "../conversation.ts";
import type { SecureStreams } from "../tls/secure-streams.ts";
import type { HttpProbe } from "./http-request.ts";
import { fetchOverHttp1 } from "./http1.ts";
import { fetchOverHttp2 } from "./http2.ts";
import { UrlChecks } from "./url-checks.ts";

/** HTTP_GET and SSL_GET: each URL answers with a status and a body that fit. Connections are not kept. */
export function httpProbe(sockets: ProbeSockets, secure: SecureStreams): RunProbe<HttpProbe> {
  const checks = new WeakMap<HttpProbe, UrlChecks>();
  return async (probe, signal) => {
    const begun = performance.now();
    try {
      const urls = checks.get(probe) ?? new UrlChecks(probe);
      checks.set(probe, urls);
      const outcome = await look(probe, urls);
      urls.found(outcome.ok);
      return outcome;
    } catch (error) {
      const reason = error instanceof SyntaxError ? `the regex: ${error.message}` : inWords(error);
      return { ok: false, reason, ms: since(begun) };
    }

    async function look(of: HttpProbe, urls: UrlChecks): Promise<ProbeOutcome> {
      const fetch = of.version === "2" ? fetchOverHttp2 : fetchOverHttp1;
      let warning: string | undefined;
      let outcome: ProbeOutcome = { ok: false, reason: "there is no URL to look at", ms: 0 };
      for (const check of urls.due) {
        outcome = await fetch({ sockets, secure, probe: of, check, signal });
        if (!outcome.ok) return named(outcome, of, check.url.path, begun);
        warning ??= outcome.warning;
      }
      return { ...outcome, ms: since(begun), ...(warning === undefined ? {} : { warning }) };
    }
  };
}

/** Which of several URLs it was. */
function named(
  outcome: ProbeOutcome,
  { urls }: HttpProbe,
  path: string,
  begun: number,
): ProbeOutcome {
  const reason = urls.length > 1 ? `${path}: ${outcome.reason}` : outcome.reason;
  return { ...outcome, reason, ms: since(begun) };
}
