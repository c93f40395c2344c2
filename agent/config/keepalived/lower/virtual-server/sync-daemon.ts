import { isMulticast, parseAddress } from "../../../../core/address.ts";
import type { SyncDaemonConfig } from "../../../virtual-servers.ts";
import type { Statement, Word } from "../../tree.ts";
import { parseWhole } from "../literals.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { interfaceWord, reportValue } from "../values.ts";

type Mutable = { -readonly [Key in keyof SyncDaemonConfig]: SyncDaemonConfig[Key] };
type Options = Omit<Mutable, "position" | "interface" | "syncId"> & { syncId: number | undefined };

/** Reads the value of an option; false: it is none. */
type ReadOption = (options: Options, value: string) => boolean;

const number =
  (key: "syncId" | "maxLength" | "port" | "ttl", low: number, high: number): ReadOption =>
  (options, value) => {
    options[key] = parseWhole(value, low, high);
    return options[key] !== undefined;
  };

/** What an option takes, in words, and how it is read. */
const OPTIONS: Readonly<Record<string, readonly [wanted: string, read: ReadOption]>> = {
  group: [
    "a multicast address",
    (options, value) => {
      const address = parseAddress(value);
      const usable = address !== undefined && isMulticast(address);
      if (usable) options.group = address;
      return usable;
    },
  ],
  id: ["a number from 0 to 255", number("syncId", 0, 255)],
  inst: [
    "a vrrp_instance",
    (options, value) => {
      options.instance = value;
      return value !== "";
    },
  ],
  maxlen: ["a number of bytes from 1 to 65507", number("maxLength", 1, 65_507)],
  port: ["a port", number("port", 1, 65_535)],
  ttl: ["a number from 1 to 255", number("ttl", 1, 255)],
};

const NONE: Options = {
  instance: undefined,
  syncId: undefined,
  maxLength: undefined,
  port: undefined,
  ttl: undefined,
  group: undefined,
};

/**
 * `lvs_sync_daemon INTERFACE [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]`, or
 * lvs_sync_daemon_interface of an instance where that is missing.
 *
 * @param ids virtual_router_id of the instances, by name: the id that keepalived takes by default
 */
export function readSyncDaemon(
  statement: Statement | undefined,
  instances: readonly Statement[],
  ids: ReadonlyMap<string, number>,
  lowering: Lowering,
): SyncDaemonConfig | undefined {
  if (statement === undefined) return ofInstance(instances, ids, lowering);
  const [first, ...rest] = statement.words;
  const name = first && interfaceWord(first, lowering)?.value;
  if (name === undefined) return undefined;
  const { syncId, ...options } = readOptions(statement, rest, lowering);
  const { instance } = options;
  if (instance !== undefined && !ids.has(instance)) {
    const at = rest.find(({ text }) => text === instance) ?? statement.keyword;
    const message = `there is no vrrp_instance ${instance} for lvs_sync_daemon to follow`;
    report(lowering, "setting-ignored", at, message, "write the name of an instance");
    return undefined;
  }
  const { position } = statement.keyword;
  return { position, interface: name, ...options, syncId: syncId ?? ids.get(instance ?? "") ?? 0 };
}

function readOptions(statement: Statement, words: readonly Word[], lowering: Lowering): Options {
  const options = { ...NONE };
  const rest = words.values();
  let first = true;
  for (const word of rest) {
    const option = Object.hasOwn(OPTIONS, word.text) ? OPTIONS[word.text] : undefined;
    if (option !== undefined) {
      const [wanted, read] = option;
      const value = rest.next().value;
      if (!read(options, value?.text ?? "")) {
        reportValue(statement, value ?? word, `${wanted} after ${word.text}`, lowering);
      }
    } else if (first) options.instance = word.text;
    else reportValue(statement, word, "inst, id, maxlen, port, ttl or group", lowering);
    first = false;
  }
  return options;
}

function ofInstance(
  instances: readonly Statement[],
  ids: ReadonlyMap<string, number>,
  lowering: Lowering,
): SyncDaemonConfig | undefined {
  for (const { words, block = [] } of instances) {
    const line = block.find(({ keyword }) => keyword.text === "lvs_sync_daemon_interface");
    const at = line?.words[0];
    const name = at && interfaceWord(at, lowering)?.value;
    const instance = words[0]?.text;
    if (line === undefined || name === undefined || instance === undefined) continue;
    const { syncId: _, ...options } = NONE;
    const { position } = line.keyword;
    const syncId = ids.get(instance) ?? 0;
    return { position, interface: name, ...options, instance, syncId };
  }
  return undefined;
}
