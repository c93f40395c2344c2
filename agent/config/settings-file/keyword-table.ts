import type { Keyword } from "../keepalived/keyword.ts";
import {
  block,
  integer,
  keyword,
  lines,
  many,
  name,
  none,
  one,
  oneOf,
  path,
  seconds,
  word,
} from "../keepalived/keyword.ts";
import type { KeywordTable } from "../keepalived/keyword-table.ts";
import { makeKeywordTable } from "../keepalived/keyword-table.ts";
import { STORE_KINDS } from "../mandates.ts";

/** A day: what Consul keeps a session for at the most. */
const LONGEST_TTL_S = 86_400;
/** Less is no time for an answer, nor between two renewals. */
const SHORTEST_S = 0.02;
const LONGEST_FENCE_S = 600;

/** A line of a grant: without it a policy is refused, so a misspelt one is no trifle. */
const grant = (word: string, words: Parameters<typeof keyword>[1], meaning: string): Keyword =>
  keyword(word, words, "nothing", meaning, { essential: true, repeats: true });

/** What a policy may be granted. */
// biome-ignore format: one keyword per line
const grantKeywords: readonly Keyword[] = [
  grant("http", many(word("URL pattern")), "URLs that it may ask; * stands for any text within a part"),
  grant("tcp", many(word("host:port")), "Where it may connect to; a host may be a CIDR"),
  grant("udp", many(word("host:port")), "Where it may send datagrams to"),
  grant("dns", many(word("name")), "Names that it may resolve: www.example.org, *.example.org"),
  grant("icmp", many(word("host")), "Addresses, names or CIDRs that it may ping"),
  grant("tls", many(word("host:port")), "Whose certificate it may look at"),
  grant("exec", { required: [name, path], rest: word("argument") }, "A command, by the name that the policy calls it; the arguments are fixed, and no shell reads them"),
  grant("read", many(word("absolute path glob")), "Files that it may read"),
  grant("process", many(word("program")), "Programs whose processes it may count"),
  grant("interface", many(word("interface")), "Interfaces that it may look at"),
  grant("gateway", many(word("address")), "Addresses that it may probe with ARP or neighbour solicitation"),
  grant("mail", many(word("address")), "Whom it may send mail to"),
  grant("webhook", { required: [name], optional: [word("preset or URL"), word("URL")] }, "A webhook by its name: NAME, NAME URL or NAME PRESET URL; a URL may refer to a secret. Without a URL, the policy's own"),
  grant("control", many(word("vrrp_instance")), "Virtual routers whose priority it may move"),
  grant("real_server", many(word("service/address:port")), "Real servers whose weight it may move"),
  grant("service", many(word("virtual_server")), "Services whose weights it may decide: [192.0.2.1]:tcp:80, as holdfast services names them"),
  grant("plugin", { required: [name], rest: word("permission") }, "A plugin of the operator's own, with the permission that it defines"),
];

/** Options of a plugin that comes with Holdfast. */
const options = (plugin: string, meaning: string): Keyword =>
  lines(plugin, none, "options", "as built", meaning);

/** Words of holdfast.conf outside all blocks. */
// biome-ignore format: one keyword per line
const settingsKeywords: readonly Keyword[] = [
  block("policy", one(word("name, or *")), [
    block("grant", none, grantKeywords, "nothing", "What the policy may do", { essential: true, repeats: true }),
  ], "nothing is granted", "Settings of one policy, or of every one", { essential: true, repeats: true }),
  keyword("secret", { required: [name, path] }, "none", "The file that holds a secret, without the line feed at its end", { essential: true, repeats: true }),
  block("smtp", none, [
    keyword("host", one(word("host")), "required", "Name or address of the mail server", { essential: true }),
    keyword("port", one(integer(1, 65_535)), "587; implicit: 465; none: 25", "Port of the mail server", { essential: true }),
    keyword("tls", one(oneOf("none", "starttls", "implicit")), "starttls", "none is for a relay on this machine", { essential: true }),
    keyword("user", one(name), "no authentication", "Name to authenticate with", { essential: true }),
    keyword("password_secret", one(name), "none", "Name of the secret that is the password", { essential: true }),
    keyword("from", one(word("address")), "notification_email_from", "Sender of every mail", { essential: true }),
    keyword("ca_file", one(path), "the system's", "Certificates (PEM) to trust instead", { essential: true }),
  ], "smtp_server of keepalived.conf", "Where mail goes", { essential: true }),
  block("witness", one(oneOf(...STORE_KINDS)), [
    keyword("endpoint", one(word("URL, or host:port")), "required", "Where the store answers; several are tried in turn. http:// or https:// for etcd, consul and kubernetes; HOST:PORT for zookeeper and redis, which has one", { essential: true, repeats: true }),
    keyword("ttl", one(seconds(0, LONGEST_TTL_S)), "5; consul 10", "Seconds that the store keeps a lease without a renewal: another node waits as long for one that died", { essential: true }),
    keyword("renew_interval", one(seconds(SHORTEST_S, LONGEST_TTL_S)), "a third of ttl", "Seconds between two renewals; one that goes unanswered must not cost the lease", { essential: true }),
    keyword("request_timeout", one(seconds(SHORTEST_S, LONGEST_TTL_S)), "a sixth of ttl, at most 1", "Seconds after which a request was in vain", { essential: true }),
    keyword("user", one(name), "none", "Name to log in with: zookeeper (digest), etcd, redis", { essential: true }),
    keyword("password_secret", one(name), "none", "Name of the secret that is the password: zookeeper, etcd, redis", { essential: true }),
    keyword("token_secret", one(name), "none", "Name of the secret that is the token: consul, kubernetes", { essential: true }),
    keyword("ca_file", one(path), "the system's", "Certificates (PEM) to trust; redis speaks TLS where one of the words of TLS is given. Not zookeeper", { essential: true }),
    keyword("cert_file", one(path), "none", "Our certificate (PEM); not zookeeper", { essential: true }),
    keyword("key_file", one(path), "none", "Its key (PEM); not zookeeper", { essential: true }),
    keyword("server_name", one(name), "the endpoint's", "Name that the store's certificate is for; not zookeeper", { essential: true }),
    keyword("prefix", one(name), "holdfast/, holdfast-, holdfast: or /holdfast", "Before the names of leases; zookeeper: the node below which they are", { essential: true }),
    keyword("namespace", one(name), "required for kubernetes", "Namespace of the Leases: kubernetes", { essential: true }),
    keyword("datacenter", one(name), "the agent's", "Consul's datacenter", { essential: true }),
    keyword("database", one(integer(0, 65_535)), "0", "Number of redis' database", { essential: true }),
  ], "no leases", "The store of leases that holdfast_witness of keepalived.conf asks", { essential: true, repeats: true }),
  block("fence", one(name), [
    keyword("program", one(path), "required", "A fence agent, by its whole path; root's alone to change", { essential: true }),
    keyword("option", { required: [name, word("value")] }, "none", "What the agent is told on its standard input, as NAME=VALUE", { essential: true, repeats: true }),
    keyword("option_secret", { required: [name, name] }, "none", "An option whose value is the secret of this name", { essential: true, repeats: true }),
    keyword("action", one(name), "off", "What the agent is to do", { essential: true }),
    keyword("timeout", one(seconds(1, LONGEST_FENCE_S)), "30", "Seconds after which the agent is killed, and has failed", { essential: true }),
  ], "none", "A device that turns off the node that may still hold addresses; holdfast_fence of keepalived.conf names it", { essential: true, repeats: true }),
  lines("plugin", { required: [name, word("package")] }, "options", "none", "A plugin of the operator's own: the name that policies call it, and its npm package", { essential: true }),
  options("http", "Options of the plugin http"),
  options("tcp", "Options of the plugin tcp"),
  options("udp", "Options of the plugin udp"),
  options("dns", "Options of the plugin dns"),
  options("icmp", "Options of the plugin icmp"),
  options("tls", "Options of the plugin tls"),
  options("exec", "Options of the plugin exec"),
  options("file", "Options of the plugin file"),
  options("process", "Options of the plugin process"),
  options("interface", "Options of the plugin interface"),
  options("gateway", "Options of the plugin gateway"),
  options("kv", "Options of the plugin kv"),
  options("metrics", "Options of the plugin metrics"),
  options("log", "Options of the plugin log"),
];

/** The language of holdfast.conf. */
export const settingsTable: KeywordTable = makeKeywordTable(settingsKeywords);
