/** What one word after a keyword may be. */
export type Argument =
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  /** Decimal seconds. */
  | { readonly kind: "seconds"; readonly min: number; readonly max: number }
  /** on off true false yes no. */
  | { readonly kind: "boolean" }
  /** An interface name, at most 15 bytes. */
  | { readonly kind: "interface" }
  /** An address, maybe with a prefix length. */
  | { readonly kind: "address"; readonly family: "inet" | "inet6" | "any" }
  /** A name of the operator's own choice. */
  | { readonly kind: "name" }
  | { readonly kind: "path" }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  /** Anything; `label` says what for. */
  | { readonly kind: "word"; readonly label: string };

/** The words after a keyword. */
export interface ArgumentGrammar {
  readonly required: readonly Argument[];
  readonly optional: readonly Argument[];
  /** Any number of further words. */
  readonly rest: Argument | undefined;
  /** The line is split as a command: both quotes, C's escapes. */
  readonly command: boolean;
}

/** What a block holds: keywords, or lines of its own form. */
export type Block =
  | { readonly kind: "keywords"; readonly keywords: readonly Keyword[] }
  | { readonly kind: "lines"; readonly lines: LineForm };

/** The form of the lines of a block that holds no keywords. */
export type LineForm =
  | "addresses"
  | "routes"
  | "rules"
  | "names"
  | "tracked"
  | "peers"
  | "delays"
  | "mail-addresses"
  | "options"
  | "polled-interfaces"
  | "virtual-servers";

/** When a keyword has its effect. */
export type Scope = "vrrp" | "later";

/** One word of the language in one place. */
export interface Keyword {
  readonly name: string;
  readonly grammar: ArgumentGrammar;
  readonly block: Block | undefined;
  readonly scope: Scope;
  /** The word to write instead. */
  readonly deprecatedFor: string | undefined;
  /** An instance would lose its identity, addresses, authentication or a tracker without it. */
  readonly essential: boolean;
  /** May stand several times in one block, each time with its own effect. */
  readonly repeats: boolean;
  /** keepalived passes over the word when its value is missing; others end it. */
  readonly bareIgnored: boolean;
  readonly default: string;
  readonly meaning: string;
}

interface Flags {
  readonly later?: true;
  readonly essential?: true;
  readonly repeats?: true;
  readonly bareIgnored?: true;
  readonly deprecatedFor?: string;
  readonly command?: true;
}

interface Words {
  readonly required?: readonly Argument[];
  readonly optional?: readonly Argument[];
  readonly rest?: Argument;
}

/** A keyword without a block. */
export function keyword(
  name: string,
  words: Words,
  defaultValue: string,
  meaning: string,
  flags: Flags = {},
): Keyword {
  return make(name, words, undefined, defaultValue, meaning, flags);
}

/** A block of keywords; one that has its effect later has all of its words later. */
export function block(
  name: string,
  words: Words,
  keywords: readonly Keyword[],
  defaultValue: string,
  meaning: string,
  flags: Flags = {},
): Keyword {
  return make(name, words, { kind: "keywords", keywords }, defaultValue, meaning, flags);
}

/** A block whose lines are no keywords. */
export function lines(
  name: string,
  words: Words,
  form: LineForm,
  defaultValue: string,
  meaning: string,
  flags: Flags = {},
): Keyword {
  const block: Block = { kind: "lines", lines: form };
  return make(name, words, block, defaultValue, meaning, { repeats: true, ...flags });
}

function make(
  name: string,
  words: Words,
  block: Block | undefined,
  defaultValue: string,
  meaning: string,
  flags: Flags,
): Keyword {
  const { required = [], optional = [], rest } = words;
  return {
    name,
    grammar: { required, optional, rest, command: flags.command === true },
    block,
    scope: flags.later === true ? "later" : "vrrp",
    deprecatedFor: flags.deprecatedFor,
    essential: flags.essential === true,
    repeats: flags.repeats === true,
    bareIgnored: flags.bareIgnored === true,
    default: defaultValue,
    meaning,
  };
}

export const none: Words = {};
export const one = (argument: Argument): Words => ({ required: [argument] });
export const maybe = (...optional: Argument[]): Words => ({ optional });
export const many = (argument: Argument): Words => ({ required: [argument], rest: argument });

export const integer = (min: number, max: number): Argument => ({ kind: "integer", min, max });
export const seconds = (min: number, max: number): Argument => ({ kind: "seconds", min, max });
export const boolean: Argument = { kind: "boolean" };
export const interfaceName: Argument = { kind: "interface" };
export const address: Argument = { kind: "address", family: "any" };
export const inet: Argument = { kind: "address", family: "inet" };
export const inet6: Argument = { kind: "address", family: "inet6" };
export const name: Argument = { kind: "name" };
export const path: Argument = { kind: "path" };
export const oneOf = (...values: string[]): Argument => ({ kind: "enum", values });
export const word = (label: string): Argument => ({ kind: "word", label });
