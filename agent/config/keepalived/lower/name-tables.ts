import type { ConfigHost } from "../config-host.ts";
import { parseAnyBase } from "./literals.ts";

/** iproute2's tables of names for numbers. */
export type NameKind = "table" | "protocol" | "scope" | "dsfield" | "realm" | "group";

export interface NameTables {
  /** A number as it stands, or a name from iproute2's tables. */
  resolve(kind: NameKind, text: string): number | undefined;
}

/** Where iproute2 keeps its tables. */
export interface NameDirectories {
  /** The administrator's; its files win. */
  readonly etc: string;
  /** The distribution's. */
  readonly usr: string;
}

export const NAME_DIRECTORIES: NameDirectories = {
  etc: "/etc/iproute2",
  usr: "/usr/share/iproute2",
};

interface Kind {
  readonly file: string;
  readonly highest: number;
  /** Fixed by the kernel: known also where iproute2 is not installed. */
  readonly known: Readonly<Record<string, number>>;
}

const KINDS: Readonly<Record<NameKind, Kind>> = {
  table: {
    file: "rt_tables",
    highest: 0xffff_ffff,
    known: { unspec: 0, default: 253, main: 254, local: 255 },
  },
  protocol: {
    file: "rt_protos",
    highest: 255,
    known: {
      unspec: 0,
      redirect: 1,
      kernel: 2,
      boot: 3,
      static: 4,
      ra: 9,
      dhcp: 16,
      keepalived: 18,
      bgp: 186,
    },
  },
  scope: {
    file: "rt_scopes",
    highest: 255,
    known: { global: 0, universe: 0, site: 200, link: 253, host: 254, nowhere: 255 },
  },
  dsfield: { file: "rt_dsfield", highest: 255, known: { default: 0 } },
  realm: { file: "rt_realms", highest: 255, known: { cosmos: 0, unknown: 0 } },
  group: { file: "group", highest: 0xffff_ffff, known: { default: 0 } },
};

/** Tables that read their files at the first name that the kernel does not fix. */
export function nameTables(host: ConfigHost, directories: NameDirectories): NameTables {
  const loaded = new Map<NameKind, ReadonlyMap<string, number>>();
  const tableOf = (kind: NameKind): ReadonlyMap<string, number> => {
    const before = loaded.get(kind);
    if (before !== undefined) return before;
    const table = loadTable(KINDS[kind], host, directories);
    loaded.set(kind, table);
    return table;
  };
  return {
    resolve(kind, text) {
      const { known, highest } = KINDS[kind];
      const number = parseAnyBase(text, highest);
      if (number !== undefined) return number;
      return tableOf(kind).get(text) ?? (Object.hasOwn(known, text) ? known[text] : undefined);
    },
  };
}

function loadTable(
  kind: Kind,
  host: ConfigHost,
  { etc, usr }: NameDirectories,
): ReadonlyMap<string, number> {
  const table = new Map<string, number>();
  const main = [`${etc}/${kind.file}`, `${usr}/${kind.file}`]
    .map((path) => host.readFile(path))
    .find((file) => file.ok);
  if (main?.ok === true) readTable(main.text, kind.highest, table);
  for (const directory of [usr, etc]) {
    for (const path of host.glob(`${directory}/${kind.file}.d/*.conf`, "/")) {
      const file = host.readFile(path);
      if (file.ok) readTable(file.text, kind.highest, table);
    }
  }
  return table;
}

/** Lines of `number name`, with `#` comments. */
function readTable(text: string, highest: number, table: Map<string, number>): void {
  for (const line of text.split("\n")) {
    const [number = "", name] = line.replace(/#.*/, "").trim().split(/\s+/);
    const value = parseAnyBase(number, highest);
    if (name !== undefined && value !== undefined) table.set(name, value);
  }
}
