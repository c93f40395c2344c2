import type { ProbeOutcome } from "../../../agent/ports/server-probes.ts";
import type { Talk } from "../conversation.ts";
import { converse } from "../conversation.ts";
import { endpointText, USER_AGENT } from "./http-request.ts";
import type { Fetch } from "./http1.ts";
import { openHttp2 } from "./http2-stream.ts";
import { statusProblem } from "./url-checks.ts";

export function fetchOverHttp2(fetch: Fetch): Promise<ProbeOutcome> {
  const { sockets, secure, probe, check, signal } = fetch;
  const { to } = probe;
  const { url, tls } = check;
  const body = check.body.begin();
  let status = 0;
  const judge = (talk: Talk): void => {
    const problem = statusProblem(status, url) ?? body.problem();
    if (problem === undefined) talk.succeed(`HTTP ${status}`);
    else talk.fail(problem);
  };
  const headers = {
    ":method": "GET",
    ":scheme": tls === undefined ? "http" : "https",
    ":authority": url.host ?? endpointText(to),
    ":path": url.path,
    "user-agent": USER_AGENT,
  };
  return converse(
    (listener) =>
      openHttp2(
        {
          ...{ sockets, secure, to, tls, headers },
          name: url.host,
          payload: undefined,
          onHeaders: (answer) => {
            status = answer[":status"] ?? 0;
          },
        },
        listener,
      ),
    signal,
    (talk) => ({
      connected() {
        talk.doing = "waiting for the answer";
      },
      received(bytes) {
        if (!body.take(bytes)) judge(talk);
      },
      ended: () => judge(talk),
    }),
  );
}
