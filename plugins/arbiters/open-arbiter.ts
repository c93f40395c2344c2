import type { Arbiter } from "../../agent/ports/arbiter.ts";
import { ConsulArbiter } from "./consul-arbiter.ts";
import { EtcdArbiter } from "./etcd-arbiter.ts";
import { KubernetesArbiter } from "./kubernetes-arbiter.ts";
import { RedisArbiter } from "./redis-arbiter.ts";
import type { ArbiterSettings } from "./settings.ts";
import { ZooKeeperArbiter } from "./zookeeper/zookeeper-arbiter.ts";

/** Connects when it is first asked for something. Throws nothing: what is wrong is told by answers. */
export function openArbiter(settings: ArbiterSettings): Arbiter {
  switch (settings.kind) {
    case "zookeeper":
      return new ZooKeeperArbiter(settings);
    case "etcd":
      return new EtcdArbiter(settings);
    case "consul":
      return new ConsulArbiter(settings);
    case "kubernetes":
      return new KubernetesArbiter(settings);
    case "redis":
      return new RedisArbiter(settings);
  }
}
