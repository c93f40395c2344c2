import type { MailConfig } from "../config/notifications.ts";
import type { SmtpSettings } from "../config/settings.ts";
import type { Notice } from "../core/notify/notice.ts";

/** What became of one try to deliver a notice. Reasons are shown to people and hold no secret. */
export type Delivery =
  /** `remark`: what an operator should know all the same. */
  | { readonly kind: "delivered"; readonly remark?: string }
  /** It may succeed later; the other side may have said when. */
  | { readonly kind: "failed"; readonly reason: string; readonly retryAfterMs?: number }
  /** It will never succeed as it is. */
  | { readonly kind: "refused"; readonly reason: string };

/** One way to tell somebody something. Notices of one target come one after another. */
export interface Channel {
  /** Never rejects; settles soon after `signal` aborts. */
  send(notice: Notice, signal: AbortSignal): Promise<Delivery>;
  /** Lets go of connections. Idempotent. */
  close(): Promise<void>;
}

export interface ChannelHost {
  /** Name of this node. */
  readonly node: string;
  /** The smtp block of holdfast.conf; it wins over keepalived.conf's server, for all mail. */
  readonly smtp: SmtpSettings | undefined;
  readonly mail: MailConfig | undefined;
  /** Puts secrets in the place of `${secret:name}`. Throws an Error that names what is missing. */
  readonly secret: (text: string) => string;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** A channel for these settings; it is closed, and opened anew, when they change. */
export type OpenChannel = (host: ChannelHost) => Channel | Promise<Channel>;

export interface FifoSpec {
  readonly path: string;
  /** Who it belongs to if it has to be made; `undefined`: this process. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

/** A named pipe that lines are written to. */
export interface FifoWriter {
  /** Whether the kernel took it whole. Never blocks. Throws an Error when the pipe cannot be had. */
  write(line: string): boolean;
  close(): void;
}

/**
 * Opens it, and makes it with mode 0600 where it is not there. Needs no reader. Throws an Error for
 * what is no FIFO, and for what the kernel refuses.
 */
export type OpenFifo = (spec: FifoSpec) => FifoWriter;
