import type { RuleConfig } from "../../config.ts";
import { nearest } from "../suggest.ts";
import type { Statement, Word } from "../tree.ts";
import { parseAnyBase, parseWhole } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report, take } from "./lowering.ts";
import type { OptionLine } from "./option-line.ts";
import {
  LineRefusal,
  mixed,
  optionLine,
  settle,
  takeInterface,
  takePrefix,
  takeValue,
  takeWhole,
} from "./option-line.ts";
import { takeRealms } from "./route-draft.ts";

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

interface RuleDraft extends Mutable<Omit<RuleConfig, "position" | "family" | "action">> {
  action: RuleConfig["action"] | undefined;
  /** A word that has a meaning only for a table. */
  tableOnly: Word | undefined;
  protocolAt: Word | undefined;
}

type RuleOption = (line: OptionLine, word: Word, rule: RuleDraft) => LineRefusal | undefined;

const HIGHEST = 0xffff_ffff;

const put =
  <Key extends keyof RuleDraft>(
    key: Key,
    read: (line: OptionLine, word: Word) => RuleDraft[Key] | LineRefusal,
  ): RuleOption =>
  (line, word, rule) => {
    const value = read(line, word);
    if (value instanceof LineRefusal) return value;
    rule[key] = value;
    return undefined;
  };

/** A rule does one thing. */
function act(rule: RuleDraft, action: RuleConfig["action"], word: Word): LineRefusal | undefined {
  if (rule.action !== undefined) return new LineRefusal(word, "a rule has one action");
  rule.action = action;
  return undefined;
}

const action =
  (name: "nop" | "blackhole" | "unreachable" | "prohibit"): RuleOption =>
  (_line, word, rule) =>
    act(rule, name, word);

const ACTIONS: Readonly<Record<string, RuleOption>> = {
  nop: action("nop"),
  blackhole: action("blackhole"),
  unreachable: action("unreachable"),
  prohibit: action("prohibit"),
  goto: (line, word, rule) =>
    put("goto", (inner, at) => takeWhole(inner, at, HIGHEST))(line, word, rule) ??
    act(rule, "goto", word),
};

const tableOnly =
  (option: RuleOption): RuleOption =>
  (line, word, rule) => {
    rule.tableOnly = word;
    return option(line, word, rule);
  };

const lookup: RuleOption = (line, word, rule) => {
  const table = takeValue(line, word, "a number, or a name of rt_tables", (text) => {
    const number = line.lowering.names.resolve("table", text);
    return number === 0 ? undefined : number;
  });
  if (table instanceof LineRefusal) return table;
  rule.table = table;
  return act(rule, "lookup", word);
};

const MARK = /^(0x[0-9a-f]+|[0-9]+)(?:\/(0x[0-9a-f]+|[0-9]+))?$/i;

const mark = put("mark", (line, word) =>
  takeValue(line, word, "MARK or MARK/MASK", (text) => {
    const [, value = "", mask] = MARK.exec(text) ?? [];
    const parsed = parseAnyBase(value, HIGHEST);
    const bits = mask === undefined ? HIGHEST : parseAnyBase(mask, HIGHEST);
    return parsed === undefined || bits === undefined ? undefined : { value: parsed, mask: bits };
  }),
);

const range =
  (high: number) =>
  (line: OptionLine, word: Word): readonly [number, number] | LineRefusal =>
    takeValue(line, word, `FROM-TO, numbers up to ${high}`, (text) => {
      const [from = "", to = from, more] = text.split("-");
      const low = parseWhole(from, 0, high);
      const top = parseWhole(to, 0, high);
      const bad = low === undefined || top === undefined || more !== undefined || low > top;
      return bad ? undefined : ([low, top] as const);
    });

const preference = put("priority", (line, word) =>
  takeValue(line, word, `a number up to ${HIGHEST}`, (text) => parseAnyBase(text, HIGHEST)),
);

const dsfield = put("tos", (line, word) =>
  takeValue(line, word, "a number up to 255, or a name of rt_dsfield", (text) =>
    line.lowering.names.resolve("dsfield", text),
  ),
);

/** The protocols that have ports, and those that people write by name; numbers work for all. */
const IP_PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  "ipv6-icmp": 58,
  icmpv6: 58,
  ospf: 89,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
};

const ipProtocol = put("ipProtocol", (line, word) =>
  takeValue(line, word, "a protocol by number or name, such as tcp", (text) =>
    Object.hasOwn(IP_PROTOCOLS, text) ? IP_PROTOCOLS[text] : parseAnyBase(text, 255),
  ),
);

const family =
  (wanted: "ipv4" | "ipv6"): RuleOption =>
  (line) =>
    settle(line, wanted) ? undefined : mixed(line);

const suppressPrefix = tableOnly(
  put("suppressPrefixLength", (line, word) => takeWhole(line, word, 128)),
);
const suppressGroup = tableOnly(
  put("suppressInterfaceGroup", (line, word) =>
    takeValue(line, word, "a number, or a name of iproute2's group", (text) =>
      line.lowering.names.resolve("group", text),
    ),
  ),
);
const input = put("inputInterface", takeInterface);

const OPTIONS: Readonly<Record<string, RuleOption>> = {
  ...ACTIONS,
  inet: family("ipv4"),
  inet6: family("ipv6"),
  from: put("from", takePrefix),
  to: put("to", takePrefix),
  not: (_line, _word, rule) => {
    rule.not = true;
    return undefined;
  },
  table: lookup,
  lookup,
  iif: input,
  dev: input,
  oif: put("outputInterface", takeInterface),
  tos: dsfield,
  dsfield,
  fwmark: mark,
  preference,
  priority: preference,
  order: preference,
  realms: tableOnly((line, word, rule) =>
    settle(line, "ipv4")
      ? put("realms", takeRealms)(line, word, rule)
      : new LineRefusal(word, "realms are for IPv4"),
  ),
  suppress_prefixlength: suppressPrefix,
  sup_pl: suppressPrefix,
  suppress_ifgroup: suppressGroup,
  sup_group: suppressGroup,
  "tunnel-id": put("tunnelId", (line, word) =>
    takeValue(line, word, "a number of up to 64 bits", (text) =>
      /^[0-9]{1,20}$/.test(text) && BigInt(text) < 2n ** 64n ? BigInt(text).toString() : undefined,
    ),
  ),
  uidrange: put("uidRange", range(HIGHEST)),
  l3mdev: (_line, word, rule) => {
    rule.l3mdev = true;
    return act(rule, "lookup", word);
  },
  protocol: (line, word, rule) => {
    rule.protocolAt = word;
    return put("protocol", (inner, at) =>
      takeValue(inner, at, "a number up to 255, or a name of rt_protos", (text) =>
        line.lowering.names.resolve("protocol", text),
      ),
    )(line, word, rule);
  },
  ipproto: ipProtocol,
  ip_proto: ipProtocol,
  sport: put("sourcePorts", range(0xffff)),
  dport: put("destinationPorts", range(0xffff)),
  type: (line, word, rule) => {
    const name = take(line.cursor);
    const option = name && Object.hasOwn(ACTIONS, name.text) ? ACTIONS[name.text] : undefined;
    if (name === undefined || option === undefined) {
      return new LineRefusal(name ?? word, `type takes ${Object.keys(ACTIONS).join(", ")}`);
    }
    return option(line, name, rule);
  },
  no_track: (_line, _word, rule) => {
    rule.noTrack = true;
    return undefined;
  },
  track_group: put("trackGroup", (line, word) =>
    takeValue(line, word, "the name of a track_group", (text) => text),
  ),
};

/**
 * One line of virtual_rules or static_rules, in iproute2's words. `undefined`, with a warning, when a
 * word cannot be understood: half a rule may catch anything.
 */
export function lowerRuleLine(statement: Statement, lowering: Lowering): RuleConfig | undefined {
  const line = optionLine(statement, lowering);
  const rule = emptyRule();
  const refusal = readWords(line, rule) ?? checkWhole(line, rule);
  if (refusal !== undefined || rule.action === undefined) {
    const { at, reason } = refusal ?? new LineRefusal(line.first, "a rule needs an action");
    report(lowering, "rule-invalid", at, `${reason}; the rule is left out`, hintFor(at));
    return undefined;
  }
  const { tableOnly: _, protocolAt, action: does, ...rest } = rule;
  const settled = line.family ?? "ipv4";
  return {
    position: line.first.position,
    family: settled,
    ...rest,
    action: does,
    protocol: protocolOf(rule, lowering),
    priority: rest.priority ?? nextPreference(line, settled),
  };
}

function readWords(line: OptionLine, rule: RuleDraft): LineRefusal | undefined {
  const { cursor } = line;
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    const option = Object.hasOwn(OPTIONS, word.text) ? OPTIONS[word.text] : undefined;
    if (option === undefined) return new LineRefusal(word, `a rule has no option "${word.text}"`);
    const refusal = option(line, word, rule);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function checkWhole(line: OptionLine, rule: RuleDraft): LineRefusal | undefined {
  if (rule.action === undefined) {
    return new LineRefusal(
      line.first,
      "a rule needs an action: table, goto, nop, blackhole, unreachable or prohibit",
    );
  }
  if (rule.action !== "lookup" && rule.tableOnly !== undefined) {
    return new LineRefusal(rule.tableOnly, `${rule.tableOnly.text} goes with table only`);
  }
  if (rule.action !== "goto") return undefined;
  if (rule.priority !== undefined && rule.priority < (rule.goto ?? 0)) return undefined;
  return new LineRefusal(line.first, "goto needs a preference lower than its target");
}

function protocolOf({ protocol, protocolAt, noTrack }: RuleDraft, lowering: Lowering) {
  if (noTrack || protocolAt === undefined) return protocol;
  report(
    lowering,
    "rule-option-ignored",
    protocolAt,
    "a rule that is watched carries the agent's own protocol number; protocol is left out",
    "write no_track to keep the protocol",
  );
  return undefined;
}

function nextPreference({ first, lowering }: OptionLine, of: RuleConfig["family"]): number {
  const preference = lowering.nextPreference[of];
  lowering.nextPreference[of] -= 1;
  report(
    lowering,
    "rule-preference",
    first,
    `the rule has no preference and gets ${preference}`,
    "write preference N",
  );
  return preference;
}

const emptyRule = (): RuleDraft => ({
  not: false,
  from: undefined,
  to: undefined,
  inputInterface: undefined,
  outputInterface: undefined,
  tos: undefined,
  mark: undefined,
  priority: undefined,
  table: undefined,
  action: undefined,
  goto: undefined,
  realms: undefined,
  suppressPrefixLength: undefined,
  suppressInterfaceGroup: undefined,
  tunnelId: undefined,
  uidRange: undefined,
  l3mdev: false,
  protocol: undefined,
  ipProtocol: undefined,
  sourcePorts: undefined,
  destinationPorts: undefined,
  noTrack: false,
  trackGroup: undefined,
  tableOnly: undefined,
  protocolAt: undefined,
});

function hintFor(at: Word): string | undefined {
  const found = nearest(at.text, Object.keys(OPTIONS));
  return found === undefined || found.distance === 0 ? undefined : `did you mean "${found.word}"?`;
}
