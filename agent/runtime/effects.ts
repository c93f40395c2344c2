import type { VrrpHandlers } from "./driver.ts";
import type { NodeFencing } from "./fencing/node-fencing.ts";
import type { Possessions } from "./possessions.ts";
import type { Reports } from "./reports.ts";
import type { Sender } from "./sender.ts";

/** What each effect of a virtual router does in this world. */
export function routerEffects(
  sender: Sender,
  possessions: Possessions,
  { gatekeeper, others }: Pick<NodeFencing, "gatekeeper" | "others">,
  reports: Reports,
): VrrpHandlers {
  return {
    "send-advertisement": (router, { priority }) => {
      sender.send(router, priority);
      gatekeeper.advertised(router);
    },
    "install-addresses": (router) => {
      gatekeeper.take(router);
      possessions.take(router);
      others.take(router);
    },
    "open-addresses": (router) => {
      gatekeeper.open(router);
      // Behind the gate from now on, if it was active before it was fenced.
      possessions.take(router);
    },
    "probe-holder": (router) => gatekeeper.contest(router),
    "remove-addresses": (router) => {
      others.give(router);
      gatekeeper.give(router);
      possessions.give(router);
    },
    "announce-addresses": (router, { repeat }) => possessions.announce(router, repeat),
    // The step as a whole tells the sync group.
    "request-active": () => undefined,
    alarm: (router, { alarm, from }) => reports.alarm(router, alarm, from),
    "alarm-over": (router, { alarm, from }) => reports.over(router, alarm, from),
    transition: (router, effect) => {
      if (effect.to === "active") router.counters.becameActive += 1;
      if (effect.from === "active") {
        router.counters.released += 1;
        if (effect.reason === "mandate-lost") router.counters.mandatesLost += 1;
        sender.resigned(router);
      }
      reports.transition(router, effect);
    },
  };
}
