import type { ProbeSockets } from "../../../agent/ports/probe-sockets.ts";
import type { ProbeOutcome } from "../../../agent/ports/server-probes.ts";
import type { Talk, Talker } from "../conversation.ts";
import { converse } from "../conversation.ts";
import type { SecureStreams } from "../tls/secure-streams.ts";
import type { BodyReading } from "./body-check.ts";
import type { HttpProbe, HttpUrl } from "./http-request.ts";
import { ResponseReader } from "./response-reader.ts";
import type { UrlCheck } from "./url-checks.ts";
import { statusProblem } from "./url-checks.ts";

/** One request for one URL. */
export interface Fetch {
  readonly sockets: ProbeSockets;
  readonly secure: SecureStreams;
  readonly probe: HttpProbe;
  readonly check: UrlCheck;
  readonly signal: AbortSignal;
}

export async function fetchOverHttp1(fetch: Fetch): Promise<ProbeOutcome> {
  const { sockets, secure, probe, check, signal } = fetch;
  const { to } = probe;
  const { tls } = check;
  let answer: Answer | undefined;
  const outcome = await converse(
    (listener) =>
      tls === undefined
        ? sockets.connect("tcp", to, listener)
        : secure.open({ to, tls, name: check.url.host, protocols: undefined }, listener),
    signal,
    (talk) => {
      answer = new Answer(talk, check);
      return answer;
    },
  );
  const warning = outcome.warning ?? answer?.warning;
  return outcome.ok && warning !== undefined ? { ...outcome, warning } : outcome;
}

/** Reads one answer and judges it when it is complete. */
class Answer implements Talker {
  readonly #talk: Talk;
  readonly #url: HttpUrl;
  readonly #body: BodyReading;
  readonly #reader: ResponseReader;
  readonly #request: Uint8Array;
  warning: string | undefined;

  constructor(talk: Talk, { url, body, request }: UrlCheck) {
    this.#talk = talk;
    this.#url = url;
    this.#body = body.begin();
    this.#reader = new ResponseReader(this.#body);
    this.#request = request;
  }

  connected(): void {
    this.#talk.doing = "waiting for the answer";
    this.#talk.send(this.#request);
  }

  received(bytes: Uint8Array): void {
    const progress = this.#reader.push(bytes);
    if (progress === "done") this.#judge();
    else if (progress !== "more") this.#talk.fail(progress.broken);
    else if (this.#reader.status !== undefined) {
      this.#talk.doing = `HTTP ${this.#reader.status}, waiting for the rest of the body`;
      const problem = statusProblem(this.#reader.status, this.#url);
      if (problem !== undefined) this.#talk.fail(problem);
    }
  }

  ended(): void {
    const end = this.#reader.end();
    if ("broken" in end) this.#talk.fail(end.broken);
    else {
      this.warning = end.warning;
      this.#judge();
    }
  }

  #judge(): void {
    const { status = 0 } = this.#reader;
    const problem = statusProblem(status, this.#url) ?? this.#body.problem();
    if (problem === undefined) this.#talk.succeed(`HTTP ${status}`);
    else this.#talk.fail(problem);
  }
}
