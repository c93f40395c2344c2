import { randomUUID } from "node:crypto";
import type { Asked, StandIn, Told } from "./stand-in.ts";
import { standIn } from "./stand-in.ts";

interface Session {
  readonly ttl: number;
  readonly lockDelay: number;
  endsAt: number;
}
interface Entry {
  readonly CreateIndex: number;
  ModifyIndex: number;
  LockIndex: number;
  Session?: string;
  Value: string | null;
  lockedUntil: number;
}

const NOT_FOUND: Told = { status: 404 };

/**
 * What Consul's documentation says of its sessions and keys: HTTP API, sessions (ttl, lock delay, end after
 * at most twice the ttl; here at once), keys (acquire, release, indexes, blocking queries). Consul itself
 * cannot be had here.
 * @param speed how many times faster than Consul its clock runs, whose ttls are 10 s or longer.
 */
export async function consulStandIn(speed: number, token?: string): Promise<StandIn> {
  const sessions = new Map<string, Session>();
  const entries = new Map<string, Entry>();
  const waiting = new Set<() => void>();
  let index = 10;
  const now = (): number => performance.now() * speed;
  const touch = (entry: Entry): void => {
    entry.ModifyIndex = ++index;
    for (const wake of waiting) wake();
  };
  const end = (id: string): void => {
    const session = sessions.get(id);
    if (session === undefined) return;
    sessions.delete(id);
    for (const entry of entries.values()) {
      if (entry.Session !== id) continue;
      delete entry.Session;
      entry.lockedUntil = now() + session.lockDelay;
      touch(entry);
    }
  };
  const expire = (): void => {
    for (const [id, { endsAt }] of sessions) if (endsAt <= now()) end(id);
  };

  const onSession = ({ path, body }: Asked): Told => {
    const [, , , verb = "", id = ""] = path.split("/");
    if (verb === "create") {
      const asked = JSON.parse(body) as { TTL: string; LockDelay: string };
      const ttl = Number.parseFloat(asked.TTL) * 1_000;
      if (ttl < 10_000 || ttl > 86_400_000) return { status: 400 };
      const made = randomUUID();
      const lockDelay = Number.parseFloat(asked.LockDelay);
      sessions.set(made, { ttl, lockDelay, endsAt: now() + ttl });
      return { status: 200, json: { ID: made } };
    }
    const session = sessions.get(id);
    if (verb === "destroy") {
      end(id);
      return { status: 200, json: true };
    }
    if (session === undefined) return NOT_FOUND;
    session.endsAt = now() + session.ttl;
    return { status: 200, json: [{ ID: id }] };
  };

  const acquire = (session: string, body: string, key: string): boolean => {
    const fresh = {
      CreateIndex: index + 1,
      ModifyIndex: 0,
      LockIndex: 0,
      Value: "",
      lockedUntil: 0,
    };
    const entry: Entry = entries.get(key) ?? fresh;
    if (entry.Session !== session) {
      if (entry.Session !== undefined || entry.lockedUntil > now()) return false;
      entry.LockIndex += 1;
    }
    entry.Session = session;
    entry.Value = Buffer.from(body).toString("base64");
    entries.set(key, entry);
    touch(entry);
    return true;
  };

  const put = ({ query, body }: Asked, key: string): Told => {
    const session = query.get("acquire");
    if (session !== null) {
      // As Consul says it: invalid session.
      return sessions.has(session)
        ? { status: 200, json: acquire(session, body, key) }
        : { status: 500 };
    }
    const there = entries.get(key);
    const isHolder = there !== undefined && there.Session === query.get("release");
    if (isHolder) {
      delete there.Session;
      touch(there);
    }
    return { status: 200, json: isHolder };
  };

  const get = async ({ query, response }: Asked, key: string): Promise<Told> => {
    const seen = Number(query.get("index") ?? 0);
    if (seen > 0 && (entries.get(key)?.ModifyIndex ?? index) <= seen) {
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        response.on("close", resolve);
      });
    }
    const there = entries.get(key);
    const headers = { "x-consul-index": String(there?.ModifyIndex ?? index) };
    if (there === undefined) return { ...NOT_FOUND, headers };
    const { lockedUntil: _, ...told } = there;
    return { status: 200, json: [told], headers };
  };

  return await standIn((asked) => {
    if (token !== undefined && asked.header("x-consul-token") !== token) return { status: 403 };
    expire();
    if (asked.path.startsWith("/v1/session/")) return onSession(asked);
    const key = asked.path.slice("/v1/kv/".length);
    return asked.method === "GET" ? get(asked, key) : put(asked, key);
  });
}
