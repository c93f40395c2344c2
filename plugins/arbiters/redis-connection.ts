import { createClient, ErrorReply } from "@redis/client";
import type { StoreFailure } from "./answer.ts";
import { refused, unreachable } from "./answer.ts";
import type { RedisSettings } from "./settings.ts";
import { codeOf, probeTls, tlsRefusal, tlsRequired } from "./store-failure.ts";

const CONNECT_TIMEOUT_MS = 5_000;

export type RedisClient = ReturnType<typeof redisClient>;

/** It does not connect again by itself: a failed one is replaced. */
export function redisClient({ host, port, user, password, database, tls }: RedisSettings) {
  const ends = {
    host,
    port,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    // Words that every server knows; those of protocol 3 need Redis 6.
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 64,
    socket: tls === undefined ? ends : { ...ends, tls: true, ...tlsOptions(tls) },
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
  });
  // Whoever waits hears of it by its promise.
  client.on("error", () => {});
  return client;
}

function tlsOptions({ ca, cert, key, serverName }: NonNullable<RedisSettings["tls"]>) {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** What Redis begins an error with, and what to do about it. */
const REFUSALS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  NOAUTH: ["Redis wants a password", "set the password, and the user where there is one"],
  WRONGPASS: ["Redis does not accept the user and password", "set those of a user of its ACL"],
  NOPERM: [
    "Redis does not let this user do it",
    "allow it GET, SET, INCR, DEL, PEXPIRE, TIME, PUBLISH, EVAL and INFO on the prefix",
  ],
  READONLY: ["this Redis is a replica", "name the primary"],
  MOVED: ["this server of a cluster does not hold the key", "name a Redis that is no cluster"],
};

/** Why a command or a connection failed, as an answer. */
export async function redisFailure(
  error: unknown,
  settings: RedisSettings,
  signal: AbortSignal,
): Promise<StoreFailure> {
  if (error instanceof ErrorReply) return replyFailure(error.message);
  const code = codeOf(error);
  const tls = tlsRefusal(code);
  if (tls !== undefined) return tls;
  const isPlain = settings.tls === undefined;
  // A port with TLS ends what is no handshake.
  if (isPlain && (code === "" || code === "ECONNRESET") && !signal.aborted) {
    const found = await probeTls({ hostname: settings.host, port: settings.port }, {}, signal);
    if (found !== "none") return tlsRequired();
  }
  return unreachable(code === "" ? "the connection failed" : `the connection failed (${code})`);
}

function replyFailure(message: string): StoreFailure {
  const [word = ""] = message.split(" ");
  const known = Object.hasOwn(REFUSALS, word) ? REFUSALS[word] : undefined;
  if (known !== undefined) return refused(...known);
  // Before Redis 6.
  if (/invalid password|without any password/.test(message)) {
    return refused("Redis does not accept the password", "set the password of its requirepass");
  }
  const told = /^[A-Z]+$/.test(word) ? ` (${word})` : "";
  return unreachable(`Redis cannot serve now${told}`);
}
