import type { Keyword } from "./keyword.ts";
import {
  block,
  integer,
  keyword,
  maybe,
  name,
  none,
  one,
  oneOf,
  path,
  seconds,
  word,
} from "./keyword.ts";

/** Blocks of what is tracked. */
// biome-ignore format: one keyword per line
export const trackingKeywords: readonly Keyword[] = [
  block("vrrp_script", one(name), [
    keyword("script", one(word("command")), "required", "Command, quoted if it has arguments; or policy:NAME/CHECK", { essential: true, command: true }),
    keyword("interval", one(seconds(0.001, 2_147_483_647)), "1 s (ms resolution)", "Period"),
    keyword("timeout", one(seconds(0.001, 2_147_483_647)), "= interval", "SIGTERM after this, SIGKILL 2 s later"),
    keyword("weight", { required: [integer(-253, 253)], optional: [oneOf("reverse", "noreverse")] }, "0 = FAULT on failure", "−253..253 [reverse]"),
    keyword("rise", one(integer(1, 4_294_967_295)), "1", "Successes to OK"),
    keyword("fall", one(integer(1, 4_294_967_295)), "1", "Failures to KO"),
    keyword("user", { required: [name], optional: [name] }, "script_user", "user [group]"),
    keyword("init_fail", none, "off (unknown: 1 success enough)", "Start in failed state"),
  ], "block NAME", "Periodic tracking script", { essential: true, repeats: true }),
  block("vrrp_track_process", one(name), [
    keyword("process", { required: [word("command")], rest: word("argument") }, "required", "Name [params]", { essential: true, command: true }),
    keyword("param_match", maybe(oneOf("initial", "partial")), "exact", "initial / partial"),
    keyword("weight", { required: [integer(-254, 254)], optional: [oneOf("reverse", "noreverse")] }, "0", "−254..254 [reverse]", { bareIgnored: true }),
    keyword("quorum", one(integer(0, 4_294_967_295)), "1", "Minimum matching processes"),
    keyword("quorum_max", one(integer(0, 4_294_967_295)), "unlimited", "Maximum matching processes (0 = must not run)"),
    keyword("delay", one(seconds(0, 3600)), "0", "Sets both delays"),
    keyword("terminate_delay", one(seconds(0, 3600)), "0", "Delay before declaring down"),
    keyword("fork_delay", one(seconds(0, 3600)), "0", "Delay before declaring up"),
    keyword("full_command", none, "off", "Match /proc/PID/cmdline rather than comm"),
  ], "block NAME", "Process-presence tracker (proc connector)", { essential: true, repeats: true }),
  block("track_file", one(name), [
    keyword("file", one(path), "required", "Path, watched with inotify", { essential: true, bareIgnored: true }),
    keyword("weight", { required: [integer(-2_147_483_647, 2_147_483_647)], optional: [oneOf("reverse", "noreverse")] }, "1", "Multiplier [reverse]; 0 = non-zero content is a fault", { bareIgnored: true }),
    keyword("init_file", maybe(word("value, or overwrite"), oneOf("overwrite")), "no", "[VALUE 0] [overwrite]: create at start"),
  ], "block NAME", "File whose numeric content changes priority / weight", { essential: true, repeats: true }),
  block("vrrp_track_file", one(name), [
    keyword("file", one(path), "required", "Path, watched with inotify", { essential: true, bareIgnored: true }),
    keyword("weight", { required: [integer(-2_147_483_647, 2_147_483_647)], optional: [oneOf("reverse", "noreverse")] }, "1", "Multiplier [reverse]; 0 = non-zero content is a fault", { bareIgnored: true }),
    keyword("init_file", maybe(word("value, or overwrite"), oneOf("overwrite")), "no", "[VALUE 0] [overwrite]: create at start"),
  ], "block NAME", "Deprecated synonym of track_file", { essential: true, repeats: true, deprecatedFor: "track_file" }),
  block("bfd_instance", one(name), [
    keyword("source_ip", one(word("address")), "none", "Local address", { essential: true }),
    keyword("neighbor_ip", one(word("address")), "required", "Peer address; fe80::1%eth0 names the interface too", { essential: true }),
    keyword("neighbour_ip", one(word("address")), "–", "Synonym", { essential: true }),
    keyword("min_rx", one(word("milliseconds")), "10 ms", "Required min RX, 1–4294967 ms"),
    keyword("min_tx", one(word("milliseconds")), "10 ms", "Desired min TX, 1–4294967 ms"),
    keyword("idle_tx", one(word("milliseconds")), "1000 ms", "TX interval when session not up, 1000–4294967 ms"),
    keyword("multiplier", one(integer(1, 255)), "5", "Detect multiplier"),
    keyword("passive", none, "off", "Passive role"),
    keyword("ttl", one(integer(1, 255)), "255", "IPv4 TTL"),
    keyword("hoplimit", one(integer(1, 255)), "255 (keepalived: 64)", "IPv6 hop limit"),
    keyword("max_hops", one(integer(-1, 255)), "0 (255 or -1 = no check)", "Allowed TTL reduction on receive"),
    keyword("multihop", none, "off", "UDP 4784 rather than 3784"),
    keyword("weight", { required: [integer(-253, 253)], optional: [oneOf("reverse", "noreverse")] }, "0", "−253..253 [reverse]"),
    keyword("vrrp", none, "both", "For track_bfd only"),
    keyword("checker", none, "both", "For BFD_CHECK only"),
  ], "block NAME", "One RFC 5880 BFD session", { essential: true, repeats: true }),
];
