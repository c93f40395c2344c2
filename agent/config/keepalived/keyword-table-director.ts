import type { Keyword } from "./keyword.ts";
import {
  address,
  block,
  boolean,
  integer,
  interfaceName,
  keyword,
  lines,
  many,
  maybe,
  name,
  none,
  one,
  oneOf,
  path,
  seconds,
  word,
} from "./keyword.ts";

/** What every check of an address takes. */
// biome-ignore format: one keyword per line
const probe: readonly Keyword[] = [
  keyword("connect_ip", one(address), "RS IP", "Address to probe"),
  keyword("connect_port", one(integer(1, 65_535)), "RS port", "Port to probe"),
  keyword("bindto", one(address), "any", "Source address"),
  keyword("bind_port", one(integer(1, 65_535)), "any", "Source port"),
  keyword("bind_if", one(interfaceName), "none", "Source interface (needed for IPv6 LL)"),
  keyword("connect_timeout", one(seconds(0.001, 4294)), "RS value (5 s)", "Connect timeout"),
  keyword("fwmark", one(integer(0, 4_294_967_295)), "0", "SO_MARK on probe packets"),
  keyword("retry", one(integer(0, 4_294_967_295)), "RS value", "Extra probes before down"),
  keyword("delay_before_retry", one(seconds(0, 4294)), "RS value", "Gap between retries"),
  keyword("warmup", one(seconds(0, 4294)), "RS value", "Max random first delay"),
  keyword("delay_loop", one(seconds(0.001, 4294)), "RS value", "Period"),
  keyword("alpha", maybe(boolean), "RS value", "Start down"),
  keyword("log_all_failures", maybe(boolean), "global", "Log every failure"),
];

/** What a url of HTTP_GET and SSL_GET takes. */
// biome-ignore format: one keyword per line
const target: readonly Keyword[] = [
  keyword("path", one(word("text")), "required", "Request path"),
  keyword("digest", one(word("MD5")), "none", "MD5 of body (genhash)"),
  keyword("status_code", many(word("code or range")), "200-299", "Codes and ranges", { repeats: true }),
  keyword("virtualhost", one(word("text")), "outer value", "Host header"),
  keyword("holdfast_json", { required: [word("path"), word("value")] }, "none", "What the body, as JSON, has there: names and indices joined by dots"),
  keyword("regex", { required: [word("pattern")] }, "none", "PCRE2 pattern that must match the body", { command: true }),
  keyword("regex_no_match", none, "off", "Pattern must not match"),
  keyword("regex_options", many(word("option")), "none", "24 PCRE2 option names", { repeats: true }),
  keyword("regex_min_offset", one(integer(0, 4_294_967_295)), "0", "First byte searched"),
  keyword("regex_max_offset", one(integer(0, 4_294_967_295)), "none", "Last start byte"),
  keyword("regex_stack", { required: [integer(0, 4_294_967_295), integer(0, 4_294_967_295)] }, "library default", "JIT stack start max"),
];

/** What HTTP_GET and SSL_GET take besides. */
// biome-ignore format: one keyword per line
const request: readonly Keyword[] = [
  keyword("nb_get_retry", one(integer(0, 4_294_967_295)), "–", "Deprecated synonym of retry (only here)", { deprecatedFor: "retry" }),
  keyword("virtualhost", one(word("text")), "RS/VS value", "Host header for all urls"),
  keyword("http_protocol", one(oneOf("1.0", "1.0C", "1.0c", "1.1")), "1.0", "1.0 / 1.0C (adds Connection: close) / 1.1"),
  keyword("enable_sni", maybe(boolean), "off", "Send SNI: the virtualhost of each url"),
  keyword("sni_name", one(word("text")), "virtualhost", "SNI text, of all urls"),
  keyword("fast_recovery", maybe(boolean), "off", "Probe all urls at once when coming up"),
  keyword("holdfast_http2", maybe(boolean), "off", "HTTP/2: agreed on by ALPN with SSL_GET, spoken at once with HTTP_GET"),
];

/** Checks of a real server. */
// biome-ignore format: one keyword per line
const checks: readonly Keyword[] = [
  block("MISC_CHECK", none, [
    keyword("retry", one(integer(0, 4_294_967_295)), "RS value", "Extra probes before down"),
    keyword("delay_before_retry", one(seconds(0, 4294)), "RS value", "Gap between retries"),
    keyword("warmup", one(seconds(0, 4294)), "RS value", "Max random first delay"),
    keyword("delay_loop", one(seconds(0.001, 4294)), "RS value", "Period"),
    keyword("alpha", maybe(boolean), "RS value", "Start down"),
    keyword("log_all_failures", maybe(boolean), "global", "Log every failure"),
    keyword("misc_path", { required: [word("command")], rest: word("argument") }, "required", "Command", { command: true }),
    keyword("misc_timeout", one(seconds(0, 4294)), "VS delay_loop", "SIGTERM after this, SIGKILL 2 s later"),
    keyword("misc_dynamic", maybe(boolean), "off", "Exit 0 ok; 1 fail; 2–255 ok with weight exit−2"),
    keyword("user", { required: [name], optional: [name] }, "script_user", "user [group]"),
  ], "block", "External program", { repeats: true }),
  block("SMTP_CHECK", none, [
    ...probe,
    keyword("helo_name", one(word("text")), "smtpchecker.keepalived.org", "HELO argument"),
    block("host", none, [...probe], "–", "Deprecated sub-block: several targets per check", { repeats: true, deprecatedFor: "one SMTP_CHECK per target" }),
  ], "block", "SMTP banner/HELO/QUIT", { repeats: true }),
  block("TCP_CHECK", none, [
    ...probe,
    keyword("holdfast_grpc", maybe(word("service")), "off; without a service the whole server", "Ask grpc.health.v1 once it is connected"),
    keyword("holdfast_tls", maybe(boolean), "off", "With holdfast_grpc: over TLS, for the virtualhost; the certificate is verified, unless holdfast_verify off"),
    keyword("holdfast_verify", maybe(boolean), "on", "Verify the certificate: its chain, its dates, and its name where virtualhost gives one"),
    keyword("holdfast_ca", one(path), "ca of SSL, else the system's", "Authorities that the certificate may come from"),
  ], "block", "TCP connect; with holdfast_grpc more than that", { repeats: true }),
  block("PING_CHECK", none, [
    ...probe,
  ], "block", "ICMP echo (unprivileged ICMP socket)", { repeats: true }),
  block("UDP_CHECK", none, [
    ...probe,
    keyword("payload", many(word("hexadecimal")), "random bytes", "Hex string to send"),
    keyword("require_reply", { rest: word("hexadecimal") }, "off; [hex, x = wildcard nibble]", "Reply needed"),
    keyword("min_reply_length", one(integer(0, 65_535)), "0", "Minimum reply bytes"),
    keyword("max_reply_length", one(integer(0, 65_535)), "255", "Maximum reply bytes"),
  ], "block", "UDP probe; fails on ICMP unreachable", { repeats: true }),
  block("HTTP_GET", none, [
    ...probe,
    ...request,
    block("url", none, [
      ...target,
    ], "required", "Block, several allowed; one is probed per delay_loop", { repeats: true }),
  ], "block", "HTTP", { repeats: true }),
  block("SSL_GET", none, [
    ...probe,
    ...request,
    keyword("tls_compliant", maybe(boolean), "off", "Send close_notify"),
    keyword("holdfast_verify", maybe(boolean), "off; on with holdfast_ca", "Verify the certificate: its chain, its dates, and its name where sni_name or virtualhost give one"),
    keyword("holdfast_ca", one(path), "ca of SSL, else the system's", "Authorities that the certificate may come from"),
    block("url", none, [
      ...target,
      keyword("tls_compliant", maybe(boolean), "outer", "Send close_notify"),
    ], "required", "Block, several allowed; one is probed per delay_loop", { repeats: true }),
  ], "block", "HTTPS; the certificate is verified with holdfast_verify (keepalived never does)", { repeats: true }),
  block("DNS_CHECK", none, [
    ...probe,
    keyword("type", one(word("record type")), "SOA", "A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY"),
    keyword("name", one(word("text")), ". (root)", "Query name; success = RCODE 0 only"),
  ], "block", "DNS query over UDP", { repeats: true }),
  block("FILE_CHECK", none, [
    keyword("track_file", one(name), "required", "track_file name", { repeats: true }),
    keyword("weight", { required: [integer(-2_147_483_647, 2_147_483_647)], optional: [oneOf("reverse", "noreverse")] }, "track_file weight", "Multiplier [reverse]"),
  ], "block", "track_file value", { repeats: true }),
  block("BFD_CHECK", none, [
    keyword("name", one(word("text")), "required", "bfd_instance name"),
    keyword("alpha", maybe(boolean), "RS value", "Start down"),
  ], "block", "BFD session state", { repeats: true }),
];

/** Words of a real server. */
// biome-ignore format: one keyword per line
const realServer: readonly Keyword[] = [
  keyword("weight", one(integer(0, 2_147_483_647)), "VS weight (1)", "0–2147483647; IPVS weight and quorum contribution"),
  keyword("lvs_method", { required: [oneOf("NAT", "DR", "TUN")], rest: word("option") }, "VS value", "Forwarding method"),
  keyword("uthreshold", one(integer(0, 2_147_483_647)), "0 = none", "Max connections"),
  keyword("lthreshold", one(integer(0, 2_147_483_647)), "0 = none", "Re-admit below"),
  keyword("inhibit_on_failure", maybe(boolean), "VS value", "Weight 0 on failure"),
  keyword("notify_up", { required: [word("command")], optional: [name, name] }, "none", "Script", { command: true }),
  keyword("notify_down", { required: [word("command")], optional: [name, name] }, "none", "Script", { command: true }),
  keyword("alpha", maybe(boolean), "VS value", "Start down"),
  keyword("retry", one(integer(1, 4_294_967_295)), "VS value", "as VS"),
  keyword("delay_before_retry", one(seconds(0, 4294)), "VS value", "as VS"),
  keyword("warmup", one(seconds(0, 4294)), "VS value", "as VS"),
  keyword("connect_timeout", one(seconds(0.001, 4294)), "VS value", "as VS"),
  keyword("delay_loop", one(seconds(0.001, 4294)), "VS value", "as VS"),
  keyword("smtp_alert", maybe(boolean), "on (if mail configured)", "Mail on up/down"),
  keyword("virtualhost", one(word("text")), "VS value", "Host header"),
  keyword("snmp_name", one(word("text")), "none", "SNMP label", { later: true }),
  keyword("holdfast_check", one(word("policy:NAME/CHECK")), "none", "A policy's check as a check of this server", { repeats: true }),
  ...checks,
];

/** Words of a virtual server. */
// biome-ignore format: one keyword per line
const virtualServer: readonly Keyword[] = [
  keyword("ip_family", one(oneOf("inet", "inet6")), "inet", "Family of a fwmark service"),
  keyword("retry", one(integer(1, 4_294_967_295)), "1", "Extra probes before down (DNS_CHECK 3, MISC_CHECK 0)"),
  keyword("delay_before_retry", one(seconds(0, 4294)), "1 s (HTTP/SSL 3 s, DNS delay_loop)", "Gap between retries"),
  keyword("warmup", one(seconds(0, 4294)), "random 0..delay_loop", "Max random delay of the first probe; 0 = none"),
  keyword("connect_timeout", one(seconds(0.001, 4294)), "5 s", "Probe connect timeout"),
  keyword("delay_loop", one(seconds(0.001, 4294)), "60 s", "Probe period"),
  keyword("inhibit_on_failure", maybe(boolean), "off", "Weight 0 rather than removal on failure"),
  keyword("lb_algo", one(oneOf("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")), "wlc", "Scheduler (undocumented spelling, most used in the wild)"),
  keyword("lvs_sched", one(oneOf("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")), "wlc", "rr wrr lc wlc lblc sh mh dh fo ovf lblcr sed nq twos"),
  keyword("hashed", none, "–", "Installed but consulted nowhere", { deprecatedFor: "nothing" }),
  keyword("ops", maybe(boolean), "off", "One-packet scheduling (UDP)"),
  keyword("flag-1", none, "off", "Scheduler flag 1"),
  keyword("flag-2", none, "off", "Scheduler flag 2"),
  keyword("flag-3", none, "off", "Scheduler flag 3"),
  keyword("sh-port", none, "off", "sh: include port"),
  keyword("sh-fallback", none, "off", "sh: fall back if dest down"),
  keyword("mh-port", none, "off", "mh: include port"),
  keyword("mh-fallback", none, "off", "mh: fall back"),
  keyword("lb_kind", { required: [oneOf("NAT", "DR", "TUN")], rest: word("option") }, "NAT", "Forwarding (undocumented spelling, most used in the wild)"),
  keyword("lvs_method", { required: [oneOf("NAT", "DR", "TUN")], rest: word("option") }, "NAT", "NAT / DR / TUN [type ipip, gue port N, gre] [nocsum/csum/remcsum]"),
  keyword("persistence_engine", one(word("text")), "none", "sip"),
  keyword("persistence_timeout", maybe(integer(0, 2_678_400)), "off; bare = 360 s (max 31 days)", "Client stickiness"),
  keyword("persistence_granularity", one(word("netmask")), "/32 (/128)", "Netmask / prefix of stickiness"),
  keyword("protocol", one(oneOf("TCP", "UDP", "SCTP", "tcp", "udp", "sctp")), "UDP if unset (!)", "TCP / UDP / SCTP"),
  keyword("ha_suspend", maybe(boolean), "off", "Suspend checks while the VS address is absent"),
  keyword("smtp_alert", maybe(boolean), "off unless global", "Mail on quorum change"),
  keyword("virtualhost", one(word("text")), "none", "Default Host header"),
  keyword("snmp_name", one(word("text")), "none", "Label returned by SNMP", { later: true }),
  keyword("holdfast_drain", one(seconds(0, 86_400)), "0", "How long a real server that is removed may finish its connections"),
  keyword("holdfast_slow_start", one(seconds(0, 86_400)), "0", "How long a real server that comes back takes to get its whole weight"),
  keyword("holdfast_panic", one(integer(0, 100)), "0", "Percentage: when real servers fail at once and fewer are left, the last good pool stays"),
  keyword("holdfast_data_path", maybe(boolean), "off", "Checks of real servers behind DR and TUN connect to the virtual address, by the way that clients' packets take"),
  keyword("alpha", maybe(boolean), "off", "Assume RSs down at start"),
  keyword("omega", maybe(boolean), "off", "Run down notifiers at shutdown"),
  keyword("quorum_up", { required: [word("command")], optional: [name, name] }, "none", "Script when quorum gained", { command: true }),
  keyword("quorum_down", { required: [word("command")], optional: [name, name] }, "none", "Script when quorum lost", { command: true }),
  keyword("quorum", one(integer(1, 4_294_967_295)), "1", "Minimum live weight"),
  keyword("hysteresis", one(integer(0, 4_294_967_295)), "0", "Quorum slack"),
  keyword("weight", one(integer(0, 2_147_483_647)), "1", "Default RS weight"),
  keyword("sorry_server", { required: [address], optional: [integer(0, 65_535)] }, "none", "IP [PORT] used when quorum lost"),
  keyword("sorry_server_inhibit", maybe(boolean), "off", "Weight-0 rather than removal for it"),
  keyword("sorry_server_lvs_method", { required: [oneOf("NAT", "DR", "TUN")], rest: word("option") }, "VS value", "Its forwarding method"),
  block("real_server", { required: [address], optional: [integer(0, 65_535)] }, realServer, "–", "Block IP [PORT]", { repeats: true }),
];

/** Blocks of load balancing. */
// biome-ignore format: one keyword per line
export const directorKeywords: readonly Keyword[] = [
  block("SSL", none, [
    keyword("password", one(word("text")), "none", "Key password"),
    keyword("ca", one(path), "none", "CA file"),
    keyword("certificate", one(path), "none", "Client certificate"),
    keyword("key", one(path), "none", "Client key"),
  ], "block", "Client TLS identity for SSL_GET", { repeats: true }),
  lines("virtual_server_group", one(name), "virtual-servers", "block NAME", "`IP [PORT]`, ranges (a.b.c.d-e, full range, CIDR), `fwmark N [inet/inet6]`"),
  block("virtual_server", { required: [word("address, fwmark or group")], rest: word("port, number or name") }, virtualServer, "block", "`IP [PORT]` / `fwmark N` / `group NAME`", { repeats: true }),
];
