import type { Lowering } from "../keepalived/lower/lowering.ts";
import { report } from "../keepalived/lower/lowering.ts";
import { nearest } from "../keepalived/suggest.ts";
import type { Statement, Word } from "../keepalived/tree.ts";
import type { PolicyGrant, SettingValue } from "../settings.ts";
import type { Secrets } from "./secrets.ts";

/** What words of a grant may refer to. */
export interface Known {
  readonly secrets: Secrets;
  /** `undefined`: they are not known. */
  readonly routers: ReadonlySet<string> | undefined;
}

/** Services whose form of a message is known; the plugin webhook has one preset for each. */
export const WEBHOOK_PRESETS: readonly string[] =
  "slack teams discord telegram pagerduty opsgenie dingtalk feishu wecom ntfy json".split(" ");

/** What the words of a line must look like; any may be `*`, which grants all. */
const FORMS: Readonly<Record<string, readonly [form: RegExp, example: string]>> = {
  http: [/^https?:\/\/[^\s/]+/, "http://127.0.0.1:8080/*"],
  tcp: [/^\S+:[0-9*]+$/, "127.0.0.1:5432"],
  udp: [/^\S+:[0-9*]+$/, "127.0.0.1:53"],
  tls: [/^\S+:[0-9*]+$/, "www.example.org:443"],
  dns: [/^[\w.*-]+$/, "*.example.org"],
  icmp: [/^[\w.:*/-]+$/, "10.0.0.1"],
  read: [/^\//, "/proc/loadavg"],
  process: [/^./, "nginx"],
  interface: [/^[^\s/]{1,15}$/, "eth0"],
  gateway: [/^[0-9a-fA-F.:/*]+$/, "10.0.0.1"],
  mail: [/^[^\s@]+@[^\s@]+$/, "ops@example.org"],
  control: [/^./, "VI_1"],
  service: [/^\S+$/, "[192.0.2.1]:tcp:80"],
  real_server: [/^\S+\/\S+:[0-9*]+$/, "web/10.0.1.1:80"],
};

/** Collects the lines of a grant in the form of the SDK's permissions. */
class Grant {
  readonly #values = new Map<string, SettingValue>();

  get value(): PolicyGrant["grant"] {
    return Object.fromEntries(this.#values);
  }

  /** Adds to the list at a path of one or two names. */
  list(texts: readonly string[], permission: string, member?: string): void {
    const outer = this.#values.get(permission);
    const before = member === undefined ? outer : memberOf(outer, member);
    const list = [...(Array.isArray(before) ? (before as readonly SettingValue[]) : []), ...texts];
    if (member === undefined) this.#values.set(permission, list);
    else this.put(list, permission, member);
  }

  put(value: SettingValue, permission: string, member: string): void {
    const outer = this.#values.get(permission);
    this.#values.set(permission, { ...(isRecord(outer) ? outer : {}), [member]: value });
  }

  has(permission: string, member: string): boolean {
    return memberOf(this.#values.get(permission), member) !== undefined;
  }
}

const isRecord = (
  value: SettingValue | undefined,
): value is { readonly [key: string]: SettingValue } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const memberOf = (value: SettingValue | undefined, name: string): SettingValue | undefined =>
  isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** grant { … }, several of them joined. */
export function lowerGrant(
  lines: readonly Statement[],
  known: Known,
  lowering: Lowering,
): PolicyGrant["grant"] {
  const grant = new Grant();
  for (const line of lines) {
    const word = line.keyword.text;
    if (word === "exec") grantExec(grant, line, lowering);
    else if (word === "webhook") grantWebhook(grant, line, known, lowering);
    else if (word === "plugin") grantPlugin(grant, line, lowering);
    else grantList(grant, line, known, lowering);
  }
  return grant.value;
}

function grantList(grant: Grant, line: Statement, known: Known, lowering: Lowering): void {
  const { keyword, words } = line;
  const [form, example] = FORMS[keyword.text] ?? [];
  if (form === undefined) return;
  const kept = words.filter((word) => {
    if (word.text === "*" || form.test(word.text)) return true;
    const message = `"${word.text}" is nothing that ${keyword.text} could grant`;
    report(lowering, "grant-invalid", word, message, `write it such as ${example}`);
    return false;
  });
  const texts = kept.map(({ text }) => text);
  if (keyword.text === "mail") grant.list(texts, "mail", "to");
  else if (keyword.text === "service") grant.list(texts, "control", "services");
  else if (keyword.text === "real_server") grant.list(texts, "control", "realServers");
  else if (keyword.text === "control") {
    for (const word of kept) checkRouter(word, known, lowering);
    grant.list(texts, "control", "routers");
  } else grant.list(texts, keyword.text);
}

function checkRouter(word: Word, { routers }: Known, lowering: Lowering): void {
  if (routers === undefined || word.text.includes("*") || routers.has(word.text)) return;
  const meant = nearest(word.text, routers)?.word;
  report(
    lowering,
    "grant-idle",
    word,
    `there is no vrrp_instance ${word.text} to control`,
    meant === undefined ? undefined : `did you mean "${meant}"?`,
  );
}

/** exec NAME PROGRAM ARGUMENT …: one command for a name. */
function grantExec(grant: Grant, { words }: Statement, lowering: Lowering): void {
  const [name, program, ...rest] = words;
  if (name === undefined || program === undefined) return;
  if (!program.text.startsWith("/")) {
    const message = `the program of exec ${name.text} needs its whole path, not "${program.text}"`;
    report(lowering, "grant-invalid", program, message, "write the path from / on");
  } else if (isFirst(grant, "exec", name, lowering)) {
    grant.put(
      [program, ...rest].map(({ text }) => text),
      "exec",
      name.text,
    );
  }
}

/** webhook NAME, webhook NAME URL, webhook NAME PRESET URL. */
function grantWebhook(grant: Grant, { words }: Statement, known: Known, lowering: Lowering): void {
  const [name, second, third] = words;
  if (name === undefined || !isFirst(grant, "webhook", name, lowering)) return;
  const url = third ?? second;
  if (second === undefined || url === undefined) {
    grant.put(null, "webhook", name.text);
    return;
  }
  if (third !== undefined && !WEBHOOK_PRESETS.includes(second.text)) {
    const meant = nearest(second.text, WEBHOOK_PRESETS)?.word;
    const hint =
      meant === undefined ? `there are ${WEBHOOK_PRESETS.join(", ")}` : `did you mean "${meant}"?`;
    report(lowering, "grant-invalid", second, `there is no preset ${second.text}`, hint);
    return;
  }
  if (!/^(https?:\/\/[^\s/]+|\$\{secret:)/.test(url.text)) {
    const message = `"${url.text}" is no URL of a webhook`;
    report(lowering, "grant-invalid", url, message, "write webhook NAME [PRESET] https://…");
    return;
  }
  known.secrets.checkReferences(url);
  const target = third === undefined ? url.text : { preset: second.text, url: url.text };
  grant.put(target, "webhook", name.text);
}

/** plugin NAME WORD …: what the words mean is the plugin's. */
function grantPlugin(grant: Grant, { words }: Statement, lowering: Lowering): void {
  const [name, ...rest] = words;
  if (name === undefined) return;
  if (rest.length > 0)
    grant.list(
      rest.map(({ text }) => text),
      "plugins",
      name.text,
    );
  else if (isFirst(grant, "plugins", name, lowering)) grant.put(true, "plugins", name.text);
}

function isFirst(grant: Grant, permission: string, name: Word, lowering: Lowering): boolean {
  if (!grant.has(permission, name.text)) return true;
  const message = `${name.text} is granted already, with another meaning perhaps`;
  report(lowering, "grant-invalid", name, message, "give each its own name");
  return false;
}
