import { BodyCheck } from "./body-check.ts";
import type { HttpProbe, HttpUrl } from "./http-request.ts";
import { requestText } from "./http-request.ts";

/** One URL of a probe, ready to be looked at. */
export interface UrlCheck {
  readonly url: HttpUrl;
  readonly body: Pick<BodyCheck, "begin">;
  /** Of the probe, with the name that this URL asks for. */
  readonly tls: HttpProbe["tls"];
  /** Of HTTP/1. */
  readonly request: Uint8Array;
}

/**
 * The URLs of one probe: all of them until all have answered, then one after another, one a look, as
 * long as they do.
 */
export class UrlChecks {
  readonly #checks: readonly UrlCheck[];
  #next: number | undefined;

  /** Throws a SyntaxError for a regex that JavaScript does not know. */
  constructor(probe: HttpProbe) {
    this.#checks = probe.urls.map((url) => ({
      url,
      body: new BodyCheck(url),
      tls: tlsOf(probe, url),
      request: Buffer.from(requestText(probe, url)),
    }));
  }

  get due(): readonly UrlCheck[] {
    return this.#next === undefined ? this.#checks : this.#checks.slice(this.#next, this.#next + 1);
  }

  found(ok: boolean): void {
    if (!ok) this.#next = undefined;
    else this.#next = this.#next === undefined ? 0 : (this.#next + 1) % this.#checks.length;
  }
}

const tlsOf = ({ tls }: HttpProbe, { serverName }: HttpUrl): HttpProbe["tls"] =>
  tls === undefined || serverName === undefined
    ? tls
    : { ...tls, serverName: serverName ?? undefined };

/** `undefined`: it is among them. */
export function statusProblem(status: number, { statusCodes }: HttpUrl): string | undefined {
  const fits = statusCodes.some(([from, to]) => status >= from && status <= to);
  return fits ? undefined : `HTTP ${status}`;
}
