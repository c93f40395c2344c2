import type { InterfaceView } from "./machine.ts";
import type { Certificate } from "./network.ts";
import type { Duration, Json } from "./values.ts";

// What the world of a simulation answers to a policy. What was said last counts, from the next call on.

/** When an answer comes. */
export interface AnswerOptions {
  /** From the call on; default at once. What comes later than the policy waits never does. */
  readonly after?: Duration;
}

/** How any call to the world can go wrong. */
export interface ScriptedFailure {
  /** The call rejects with this code: `"ECONNREFUSED"`, `"ENOTFOUND"`. */
  fails(code: string, options?: AnswerOptions): void;
  /** No answer ever comes: the call, or the run, reaches its timeout. */
  hangs(): void;
}

/** `ctx.http`, whatever its method. */
export interface ScriptedHttp extends ScriptedFailure {
  replies(
    status: number,
    body?: string,
    options?: AnswerOptions & { readonly headers?: Readonly<Record<string, string>> },
  ): void;
}

/** `ctx.tcp` and `ctx.udp`. */
export interface ScriptedTalk extends ScriptedFailure {
  /** Takes the connection or the datagram, and answers this; nothing by default. */
  replies(received?: string, options?: AnswerOptions): void;
}

/** `ctx.dns`. */
export interface ScriptedName extends ScriptedFailure {
  /** The records as text; none: the name is there, and has no such record. */
  resolves(records: readonly string[], options?: AnswerOptions): void;
}

/** `ctx.icmp` and `ctx.gateway`. */
export interface ScriptedProbe extends ScriptedFailure {
  replies(options?: AnswerOptions): void;
}

/** `ctx.tls`. */
export interface ScriptedCertificate extends ScriptedFailure {
  /** What is left out is that of a good certificate with 90 days left. */
  shows(certificate: Partial<Certificate>, options?: AnswerOptions): void;
}

/** A command of `ctx.exec`. */
export interface ScriptedCommand extends ScriptedFailure {
  exits(code: number, stdout?: string, options?: AnswerOptions): void;
}

/** A file of `ctx.files`. */
export interface ScriptedFile {
  is(text: string): void;
  gone(): void;
}

/** A network interface of `ctx.interfaces`. */
export interface ScriptedInterface {
  /** What is left out is that of one that is up. */
  is(state: Partial<InterfaceView>): void;
  gone(): void;
}

/** A method of an operator's own plugin. */
export interface ScriptedMethod extends ScriptedFailure {
  answers(value: Json, options?: AnswerOptions): void;
}
