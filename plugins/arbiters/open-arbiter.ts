import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../agent/ports/arbiter.ts";
import type { ArbiterSettings } from "./settings.ts";

/** Connects when it is first asked for something. Throws nothing: what is wrong is told by answers. */
export const openArbiter = (settings: ArbiterSettings): Arbiter => new LoadedArbiter(settings);

/** Loads the one client that it needs, from now on: each costs memory, and a start its time. */
class LoadedArbiter implements Arbiter {
  readonly #loaded: Promise<Arbiter>;

  constructor(settings: ArbiterSettings) {
    this.#loaded = loadArbiter(settings);
    // Whoever asks hears of it.
    this.#loaded.catch(() => undefined);
  }

  async acquire(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return (await this.#loaded).acquire(key, signal);
  }

  async renew(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer> {
    return (await this.#loaded).renew(key, signal);
  }

  async release(key: LeaseKey, signal: AbortSignal): Promise<void> {
    await (await this.#loaded).release(key, signal);
  }

  async look(key: LeaseKey, signal: AbortSignal): Promise<StoreView> {
    return (await this.#loaded).look(key, signal);
  }

  watch(name: string, changed: () => void): () => void {
    let stop = (): void => undefined;
    let isOver = false;
    const begin = (arbiter: Arbiter): void => {
      if (!isOver) stop = arbiter.watch(name, changed);
    };
    this.#loaded.then(begin, () => undefined);
    return () => {
      isOver = true;
      stop();
    };
  }

  async close(): Promise<void> {
    await (await this.#loaded).close();
  }
}

/** For whoever can wait before it asks for anything. */
export async function loadArbiter(settings: ArbiterSettings): Promise<Arbiter> {
  switch (settings.kind) {
    case "zookeeper":
      return new (await import("./zookeeper/zookeeper-arbiter.ts")).ZooKeeperArbiter(settings);
    case "etcd":
      return new (await import("./etcd-arbiter.ts")).EtcdArbiter(settings);
    case "consul":
      return new (await import("./consul-arbiter.ts")).ConsulArbiter(settings);
    case "kubernetes":
      return new (await import("./kubernetes-arbiter.ts")).KubernetesArbiter(settings);
    case "redis":
      return new (await import("./redis-arbiter.ts")).RedisArbiter(settings);
  }
}
