/** What is used of node-zookeeper-client 1.1, which brings no types. */
declare module "node-zookeeper-client" {
  import type { Socket } from "node:net";

  export interface Stat {
    /** 64 bits, as 8 bytes. */
    readonly czxid: Buffer;
    /** The session that an ephemeral node lives by. */
    readonly ephemeralOwner: Buffer;
  }

  type Done<Value> = (error: (Error & { readonly code: number }) | null, value: Value) => void;

  /** Not public; see `zookeeper-connection.ts` for why it is touched. */
  export interface ConnectionManager {
    readonly socket: Socket | undefined;
    readonly connectTimeoutHandler: NodeJS.Timeout | undefined;
    pendingBuffer: Buffer | null;
    onSocketData(chunk: Buffer): void;
    on(event: "state", listener: (state: number) => void): void;
  }

  export interface Acl {
    readonly permission: number;
  }

  export interface Client {
    readonly connectionManager: ConnectionManager;
    connect(): void;
    close(): void;
    getSessionId(): Buffer;
    /** Milliseconds, as the server granted it. */
    getSessionTimeout(): number;
    addAuthInfo(scheme: string, auth: Buffer): void;
    create(
      path: string,
      data: Buffer,
      acls: readonly Acl[],
      mode: number,
      done: Done<string>,
    ): void;
    mkdirp(path: string, acls: readonly Acl[], done: Done<string>): void;
    remove(path: string, version: number, done: Done<undefined>): void;
    exists(path: string, done: Done<Stat | null>): void;
    exists(path: string, watcher: () => void, done: Done<Stat | null>): void;
    getData(path: string, done: (error: Error | null, data: Buffer, stat: Stat) => void): void;
    transaction(): Transaction;
  }

  interface Transaction {
    check(path: string, version: number): Transaction;
    commit(done: Done<unknown>): void;
  }

  export function createClient(
    servers: string,
    options: {
      readonly sessionTimeout: number;
      readonly spinDelay: number;
      readonly retries: number;
    },
  ): Client;

  export const ACL: {
    readonly OPEN_ACL_UNSAFE: readonly Acl[];
    readonly CREATOR_ALL_ACL: readonly Acl[];
  };
  export const CreateMode: { readonly EPHEMERAL: number };
  export const Exception: {
    readonly CONNECTION_LOSS: number;
    readonly NO_NODE: number;
    readonly NO_AUTH: number;
    readonly NODE_EXISTS: number;
    readonly SESSION_EXPIRED: number;
    readonly AUTH_FAILED: number;
    readonly INVALID_ACL: number;
  };
}
