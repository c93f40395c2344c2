import type { Lowering } from "../keepalived/lower/lowering.ts";
import { report } from "../keepalived/lower/lowering.ts";
import type { Statement, Word } from "../keepalived/tree.ts";
import type { StoreKind, WitnessSettings } from "../mandates.ts";
import { STORE_KINDS } from "../mandates.ts";
import type { Endpoint } from "./endpoint.ts";
import { isLoopback, readEndpoint } from "./endpoint.ts";
import type { Secrets } from "./secrets.ts";
import type { StoreRules } from "./store-rules.ts";
import { STORE_RULES, TLS_WORDS } from "./store-rules.ts";
import { readTimes } from "./witness-times.ts";

type WitnessWords = ReadonlyMap<string, Word | undefined>;

/** witness STORE { endpoint … }, once. `undefined`, with errors, where it could not do its work. */
export function lowerWitness(
  [statement, second]: readonly Statement[],
  secrets: Secrets,
  lowering: Lowering,
): WitnessSettings | undefined {
  if (second !== undefined) {
    const message = "a second witness: all groups ask one store, or two could give one lease away";
    report(lowering, "witness-invalid", second.keyword, message, "keep one of the blocks");
  }
  const kind = statement?.words[0];
  const store = STORE_KINDS.find((each) => each === kind?.text);
  // Another word is refused by the language.
  if (statement === undefined || kind === undefined || store === undefined) return undefined;
  const rules = STORE_RULES[store];
  const lines = statement.block ?? [];
  const words: WitnessWords = new Map(
    lines
      .filter(({ keyword }) => rules.words.has(keyword.text))
      .map((line) => [line.keyword.text, line.words[0]]),
  );
  reportForeign(lines, store, lowering);
  for (const needed of rules.needs) {
    if (words.has(needed)) continue;
    const message = `witness ${store} has no ${needed}`;
    report(lowering, "witness-invalid", kind, message, `write ${needed} NAME`);
  }
  const endpoints = readEndpoints(kind, lines, rules, lowering);
  const times = readTimes(words, rules, kind, lowering);
  checkLogin(words, store, secrets, lowering);
  checkTls(words, endpoints, secrets, lowering);
  checkSecrecy(words, endpoints, store, lowering);
  checkPrefix(words.get("prefix"), rules, lowering);
  const [first, ...rest] = endpoints.map(({ text }) => text);
  if (first === undefined || times === undefined) return undefined;
  const database = words.get("database")?.text;
  return {
    position: kind.position,
    store,
    endpoints: [first, ...rest],
    ...times,
    user: words.get("user")?.text,
    passwordSecret: words.get("password_secret")?.text,
    tokenSecret: words.get("token_secret")?.text,
    caFile: words.get("ca_file")?.text,
    certFile: words.get("cert_file")?.text,
    keyFile: words.get("key_file")?.text,
    serverName: words.get("server_name")?.text,
    prefix: words.get("prefix")?.text,
    namespace: words.get("namespace")?.text,
    datacenter: words.get("datacenter")?.text,
    database: database === undefined ? undefined : Number(database),
  };
}

function reportForeign(lines: readonly Statement[], store: StoreKind, lowering: Lowering): void {
  for (const { keyword } of lines) {
    if (STORE_RULES[store].words.has(keyword.text)) continue;
    const owners = STORE_KINDS.filter((each) => STORE_RULES[each].words.has(keyword.text));
    // Others are refused by the language.
    if (owners.length === 0) continue;
    const message = `${STORE_RULES[store].title} has no ${keyword.text}: it is for ${owners.join(", ")}`;
    report(lowering, "witness-invalid", keyword, message, "remove the line");
  }
}

function readEndpoints(
  kind: Word,
  lines: readonly Statement[],
  rules: StoreRules,
  lowering: Lowering,
): readonly Endpoint[] {
  const written = lines.filter(({ keyword }) => keyword.text === "endpoint");
  const endpoints = written.flatMap(({ words: [word] }) =>
    word === undefined ? [] : (readEndpoint(word, rules, lowering) ?? []),
  );
  if (written.length === 0) {
    const form = rules.endpoint === "url" ? "https://HOST" : "HOST";
    const hint = `write endpoint ${form}:${rules.usualPort}`;
    const message = `witness ${kind.text} has no endpoint; nobody would be asked`;
    report(lowering, "witness-invalid", kind, message, hint);
  }
  const [, second] = endpoints;
  if (kind.text === "redis" && second !== undefined) {
    const message = "Redis has one primary: a lease would be lost on the way to another server";
    report(lowering, "witness-invalid", second.at, message, "name the primary alone");
  }
  return endpoints;
}

function checkLogin(
  words: WitnessWords,
  store: StoreKind,
  secrets: Secrets,
  lowering: Lowering,
): void {
  const user = words.get("user");
  const password = words.get("password_secret");
  const token = words.get("token_secret");
  if (user !== undefined && password === undefined) {
    const hint = "write password_secret NAME, and secret NAME FILE outside the block";
    report(lowering, "witness-invalid", user, "a user needs a password", hint);
  }
  // Redis may have a password for all.
  if (password !== undefined && user === undefined && store !== "redis") {
    report(lowering, "witness-invalid", password, "a password needs a user", "write user NAME");
  }
  for (const secret of [password, token]) {
    if (secret !== undefined && !secrets.has(secret.text)) {
      secrets.reportUnknown(secret.text, secret);
    }
  }
}

function checkTls(
  words: WitnessWords,
  endpoints: readonly Endpoint[],
  secrets: Secrets,
  lowering: Lowering,
): void {
  const [cert, key] = [words.get("cert_file"), words.get("key_file")];
  const lone = cert === undefined ? key : key === undefined ? cert : undefined;
  if (lone !== undefined) {
    const other = lone === cert ? "key_file" : "cert_file";
    const message = "a certificate and its key are given together";
    report(lowering, "witness-invalid", lone, message, `write ${other} /path/of/file`);
  }
  for (const name of ["ca_file", "cert_file", "key_file"]) {
    const file = words.get(name);
    if (file === undefined) continue;
    if (file.text.startsWith("/")) secrets.checkFile(file, name === "key_file");
    else {
      const message = `${name} needs its whole path, not "${file.text}"`;
      report(lowering, "witness-invalid", file, message, "write the path from / on");
    }
  }
  const used = TLS_WORDS.map((name) => words.get(name)).find((word) => word !== undefined);
  const plain = endpoints.find(({ scheme }) => scheme === "http");
  if (used === undefined || plain === undefined) return;
  const message = `${plain.text} has no TLS, for which this is`;
  const hint = `write endpoint ${plain.text.replace("http:", "https:")}`;
  report(lowering, "witness-invalid", used, message, hint);
}

/** Loopback apart, a password or token may only travel by TLS. */
function checkSecrecy(
  words: WitnessWords,
  endpoints: readonly Endpoint[],
  store: StoreKind,
  lowering: Lowering,
): void {
  const secret = words.get("password_secret") ?? words.get("token_secret");
  if (secret === undefined) return;
  const hasTls = TLS_WORDS.some((name) => words.has(name));
  const open = endpoints.find(
    (each) =>
      !isLoopback(each) &&
      (each.scheme === undefined ? store === "zookeeper" || !hasTls : each.scheme === "http"),
  );
  if (open === undefined) return;
  const message = `the ${words.has("password_secret") ? "password" : "token"} travels to ${open.host} as plain text`;
  const remedies: Readonly<Record<StoreKind, string>> = {
    zookeeper: "keep the ensemble on a network of its own: its client here has no TLS",
    etcd: `write endpoint ${open.text.replace("http:", "https:")}`,
    consul: `write endpoint ${open.text.replace("http:", "https:")}`,
    kubernetes: `write endpoint ${open.text.replace("http:", "https:")}`,
    redis: "write ca_file FILE or server_name NAME: with either, Redis is asked by TLS",
  };
  report(lowering, "witness-plain", open.at, message, remedies[store]);
}

function checkPrefix(
  prefix: Word | undefined,
  { title, prefix: [form, example] }: StoreRules,
  lowering: Lowering,
): void {
  if (prefix === undefined || form.test(prefix.text)) return;
  const message = `"${prefix.text}" cannot stand before names in ${title}`;
  report(lowering, "witness-invalid", prefix, message, `write it such as prefix ${example}`);
}
