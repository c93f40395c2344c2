import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import { atMost, badArgument, optionsArgument, textArgument } from "../call/arguments.ts";
import type { ActiveCall, Method } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import type { Lookups } from "../network/lookup.ts";
import { since } from "../network/milliseconds.ts";
import { readTrust } from "../network/trust.ts";
import { patternList } from "../permission/pattern-list.ts";
import type { CheckedUrl } from "../permission/url-pattern.ts";
import { checkUrl, urlLanguage, urlMatches } from "../permission/url-pattern.ts";
import { ConnectionPools } from "./connection-pools.ts";
import type { ExchangeRequest, Received } from "./exchange.ts";
import { exchange } from "./exchange.ts";
import { httpFailure, wasStale } from "./http-failure.ts";
import { HTTP_OPTIONS, requestHeaders } from "./http-options.ts";

const LONGEST_URL = 8_192;
const permission = patternList(urlLanguage);

/**
 * `http.get`, `head` and `post(url, options)`. Redirects are answers, not followed; bodies end after
 * 256 KiB (`truncated`). Connections are kept alive, and made anew each minute, so that a name that
 * moved is seen. Option in holdfast.conf: `ca_file`, certificates to trust besides the usual.
 *
 * Codes besides the kernel's and OpenSSL's: `closed-early`, `protocol` (no HTTP), `too-large`
 * (headers), `busy` (no place for another server), `tls`.
 */
export function httpPlugin(lookups: Lookups): Plugin {
  return {
    name: "http",
    permission: "http",
    methods: ["get", "head", "post"],
    checkPermission: permission.checkPermission,
    missing: permission.missing,
    open({ options }) {
      const pools = new ConnectionPools(readTrust("http", options), lookups);
      const method = (verb: ExchangeRequest["method"]): Method => requestMethod(verb, pools);
      const methods = { get: method("GET"), head: method("HEAD"), post: method("POST") };
      return openCalls(methods, () => pools.close());
    },
  };
}

const requestMethod =
  (verb: ExchangeRequest["method"], pools: ConnectionPools): Method =>
  async (args, call) => {
    atMost(args, 2);
    const options = optionsArgument(args[1], HTTP_OPTIONS);
    call.within(options.timeout);
    const { headers, body, verify = true, http2 = false } = options;
    if (body !== undefined && verb !== "POST") throw badArgument("only post has a body");
    const url = permittedUrl(args[0], call);
    call.doing = `${verb} ${url.origin}`;
    const target = { origin: url.origin, verify, http2, serverName: headers?.["host"] };
    const request: ExchangeRequest = {
      method: verb,
      path: url.path,
      headers: requestHeaders(headers),
      body: body ?? null,
    };
    const begun = performance.now();
    const { status, headers: answered, text, truncated } = await send(pools, target, request, call);
    const answer = { status, headers: answered, body: text, ms: since(begun) };
    return truncated ? { ...answer, truncated } : answer;
  };

function permittedUrl(value: Json | undefined, call: ActiveCall): CheckedUrl {
  const url = checkUrl(textArgument(value, "url", LONGEST_URL));
  if (typeof url === "string") throw badArgument(url);
  if (permission.granted(call.permission).some((pattern) => urlMatches(pattern, url))) return url;
  throw permission.refusal(`${url.origin}${url.path.split("?", 1)[0]?.slice(0, 200)}`);
}

/**
 * Sends a request, once more when the server had closed a kept connection just before: that tells
 * nothing about the server.
 */
async function send(
  pools: ConnectionPools,
  target: Parameters<ConnectionPools["take"]>[0],
  request: ExchangeRequest,
  call: ActiveCall,
): Promise<Received> {
  for (let attempt = 1; ; attempt += 1) {
    const lease = pools.take(target);
    const { connections } = lease;
    try {
      return await exchange(lease.pool, request, call);
    } catch (error) {
      if (call.ended) throw new CallError("aborted", "the call is over");
      const kept = lease.connections === connections;
      if (attempt > 1 || request.method === "POST" || !kept || !wasStale(error)) {
        throw httpFailure(error, call.doing);
      }
    } finally {
      pools.giveBack(lease);
    }
  }
}
