import type { WordListener } from "../director-word.ts";
import type { Links } from "../links.ts";
import type { Reports } from "../reports.ts";
import type { Schedule } from "../schedule.ts";
import type { World } from "../world.ts";
import { BfdSessions } from "./bfd-sessions.ts";

/** The BFD sessions of a node; `listener` hears when track_bfd reads something else. */
export const nodeSessions = (
  { clock, bfd }: World,
  schedule: Schedule,
  links: Links,
  reports: Reports,
  listener: Pick<WordListener, "trackersChanged">,
): BfdSessions =>
  new BfdSessions({
    clock,
    schedule,
    sockets: bfd,
    interfaceIndex: (name) => links.named(name)?.index,
    changed: (session) => reports.session(session.snapshot()),
    read: (trackers) => listener.trackersChanged(trackers),
    trouble: ({ config }, message) => reports.host("error", `bfd ${config.name}`, message),
    dropped: (reason, { source }) => reports.controlDropped(reason, source),
    listenTrouble: (message) => reports.host("error", "bfd", message),
  });
