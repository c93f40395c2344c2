import type { Position } from "../position.ts";
import { Checker } from "./checker.ts";
import type { Findings } from "./findings.ts";
import type { KeywordNode, KeywordTable } from "./keyword-table.ts";
import type { Sink } from "./reader.ts";
import type { Statement, Word } from "./tree.ts";

/** A block that is being read. */
interface Frame {
  readonly keyword: Word;
  readonly words: readonly Word[];
  readonly open: Position;
  /** What the block knows; `undefined`: it is skipped. */
  readonly node: KeywordNode | undefined;
  /** The statement does not become part of the tree. */
  readonly discarded: boolean;
  /** Number of the block, from 1. */
  readonly serial: number;
  readonly children: Statement[];
  /** The first line inside stands further right than the keyword; unknown while empty. */
  indented: boolean | undefined;
}

/** A line whose block, if it has one, has not begun. */
interface Pending {
  readonly keyword: Word;
  readonly words: readonly Word[];
}

/** A brace that closed an inner block although it stands under an outer one. */
interface Suspicion {
  readonly brace: Position;
  readonly closed: Frame;
  readonly under: Frame;
}

/** Forms whose lines never begin with a keyword of the block around them. */
const unmistakable: ReadonlySet<string> = new Set(["addresses", "routes", "peers", "delays"]);

/** Builds the tree from words and braces, and finds the braces that are missing. */
export class Parser implements Sink {
  readonly #table: KeywordTable;
  readonly #findings: Findings;
  readonly #checker: Checker;
  readonly #frames: Frame[] = [];
  #top: Frame;
  #pending: Pending | undefined;
  #serial = 1;
  #suspicion: Suspicion | undefined;
  #lastRootBlock: { readonly frame: Frame; readonly close: Position } | undefined;

  constructor(table: KeywordTable, findings: Findings) {
    this.#table = table;
    this.#findings = findings;
    this.#checker = new Checker(table, findings);
    const nowhere: Position = { file: "", line: 0, column: 0 };
    const keyword: Word = { text: "", position: nowhere, quoted: false };
    this.#top = this.#frame(keyword, [], nowhere, table.root, false);
  }

  /** Ends the text and answers the statements outside all blocks. */
  finish(): readonly Statement[] {
    this.#settle(undefined);
    if (this.#frames.length > 0) {
      if (this.#suspicion !== undefined) this.#reportSuspicion(this.#suspicion);
      else for (const frame of [this.#top, ...this.#frames.slice(1)]) this.#reportUnclosed(frame);
    }
    while (this.#frames.length > 0) this.#pop(this.#top.open);
    return this.#top.children;
  }

  words(keyword: Word, words: readonly Word[]): void {
    this.#settle(keyword);
    const top = this.#top;
    top.indented ??= keyword.position.column > top.keyword.position.column;
    if (this.#frames.length > 0) this.#leaveByIndentation(keyword);
    this.#pending = { keyword, words };
  }

  open(position: Position): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) {
      const message = "this { belongs to no keyword";
      this.#findings.add("unexpected-opening-brace", position, "{", message);
      const keyword: Word = { text: "{", position, quoted: false };
      this.#push(keyword, [], position, undefined, true);
      return;
    }
    const { keyword, words } = pending;
    if (this.#frames.length > 0) this.#leaveForBlock(keyword);
    const context = this.#top.node;
    if (context === undefined) this.#push(keyword, words, position, undefined, true);
    else if (context.children === undefined) this.#openInLines(keyword, words, position);
    else {
      const node = context.children.get(keyword.text);
      if (node === undefined) {
        const meant = this.#checker.unknown(context, keyword, true);
        this.#push(keyword, words, position, meant, true);
      } else this.#openKnown(node, context, keyword, words, position);
    }
  }

  close(position: Position, first: boolean): void {
    this.#settle(undefined);
    if (this.#frames.length === 0) {
      this.#reportUnexpectedClose(position);
      return;
    }
    if (first) this.#suspect(position);
    if (this.#frames.length === 1) this.#lastRootBlock = { frame: this.#top, close: position };
    this.#pop(position);
  }

  #openKnown(
    node: KeywordNode,
    context: KeywordNode,
    keyword: Word,
    words: readonly Word[],
    position: Position,
  ): void {
    this.#checker.known(node, context, this.#top.serial, keyword, words);
    if (node.keyword.block !== undefined) {
      this.#push(keyword, words, position, node, false);
      return;
    }
    this.#append(keyword, words);
    const message = `${keyword.text} takes no block`;
    this.#findings.add("block-not-taken", position, "{", message);
    this.#push(keyword, words, position, undefined, true);
  }

  #openInLines(keyword: Word, words: readonly Word[], position: Position): void {
    this.#append(keyword, words);
    const message = `a line of ${this.#top.keyword.text} takes no block`;
    this.#findings.add("block-not-taken", position, "{", message);
    this.#push(keyword, words, position, undefined, true);
  }

  /** Ends the line that waits for a block; `next` begins the line after it. */
  #settle(next: Word | undefined): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    const { keyword, words } = pending;
    const context = this.#top.node;
    if (context === undefined) return;
    if (context.children === undefined) {
      this.#append(keyword, words);
      return;
    }
    const node = context.children.get(keyword.text);
    if (node === undefined) this.#checker.unknown(context, keyword, false);
    else if (node.keyword.block === undefined) {
      const kept = this.#checker.known(node, context, this.#top.serial, keyword, words);
      if (kept) this.#append(keyword, words);
    } else this.#settleBlock(node, context, pending, next);
  }

  /** A keyword that wants a block and has no opening brace. */
  #settleBlock(
    node: KeywordNode,
    context: KeywordNode,
    { keyword, words }: Pending,
    next: Word | undefined,
  ): void {
    this.#checker.known(node, context, this.#top.serial, keyword, words);
    const inside =
      next !== undefined &&
      !context.children?.has(next.text) &&
      (node.children === undefined || node.children.has(next.text));
    if (!inside) {
      const message = `${keyword.text} needs a block`;
      const hint = `write ${keyword.text} { … }`;
      this.#findings.add("missing-block", keyword.position, keyword.text, message, hint);
      return;
    }
    const message = `the block of ${keyword.text} has no opening brace`;
    const hint = `write { at the end of this line`;
    this.#findings.add("missing-opening-brace", keyword.position, keyword.text, message, hint);
    this.#push(keyword, words, keyword.position, node, false);
  }

  /** A line that belongs to a block further out: the blocks between lack their braces. */
  #leaveByIndentation(keyword: Word): void {
    const top = this.#top;
    const block = top.node?.keyword.block;
    if (top.node?.children?.has(keyword.text) === true) return;
    const depth = this.#depthThatKnows(keyword.text, false);
    if (depth === undefined) return;
    const outside = top.indented === true && keyword.position.column <= top.keyword.position.column;
    const sure = block?.kind === "lines" && unmistakable.has(block.lines);
    if (outside || sure) this.#leave(depth, keyword);
  }

  /** A block that only a block further out knows. */
  #leaveForBlock(keyword: Word): void {
    const top = this.#top;
    if (top.node?.children?.has(keyword.text) === true) return;
    const depth =
      top.node === undefined
        ? this.#table.root.children?.has(keyword.text) && 0
        : this.#depthThatKnows(keyword.text, true);
    if (typeof depth === "number") this.#leave(depth, keyword);
  }

  /** Number of enclosing frames of the innermost outer block that knows a word. */
  #depthThatKnows(text: string, asBlock: boolean): number | undefined {
    for (let depth = this.#frames.length - 1; depth >= 0; depth -= 1) {
      const node = this.#frames[depth]?.node?.children?.get(text);
      if (node !== undefined && (!asBlock || node.keyword.block !== undefined)) return depth;
    }
    return undefined;
  }

  #leave(depth: number, keyword: Word): void {
    if (this.#suspicion !== undefined) this.#reportSuspicion(this.#suspicion);
    while (this.#frames.length > depth) {
      if (this.#suspicion === undefined) this.#reportUnclosed(this.#top, keyword);
      this.#pop(keyword.position);
    }
    this.#suspicion = undefined;
  }

  #reportUnclosed({ keyword, open }: Frame, next?: Word): void {
    const seen =
      next === undefined
        ? "at the end of the text"
        : `where ${next.text} begins (${place(next.position)})`;
    const message = `the block of ${keyword.text} is still open ${seen}`;
    const hint = `write } to end the block that this { begins`;
    this.#findings.add("missing-closing-brace", open, "{", message, hint);
  }

  #reportSuspicion({ brace, closed, under }: Suspicion): void {
    const message = `this } stands under ${under.keyword.text} and closes ${closed.keyword.text} (${place(closed.open)})`;
    const hint = `write another } before it, for the { of ${closed.keyword.text} at ${place(closed.open)}`;
    this.#findings.add("brace-closes-wrong-block", brace, "}", message, hint);
  }

  #reportUnexpectedClose(position: Position): void {
    const last = this.#lastRootBlock;
    const message = "there is no block that this } could close";
    const hint =
      last === undefined
        ? undefined
        : `${last.frame.keyword.text} (${place(last.frame.open)}) ended at ${place(last.close)} already`;
    this.#findings.add("unexpected-closing-brace", position, "}", message, hint);
  }

  /** Remembers a closing brace that is not where its block's keyword is. */
  #suspect(brace: Position): void {
    const closed = this.#top;
    if (closed.indented !== true || brace.column >= closed.keyword.position.column) return;
    const under = this.#frames.findLast(
      (frame, depth) => depth > 0 && frame.keyword.position.column === brace.column,
    );
    if (under !== undefined) this.#suspicion ??= { brace, closed, under };
  }

  #append(keyword: Word, words: readonly Word[]): void {
    this.#top.children.push(new PlainStatement(keyword, words));
  }

  #frame(
    keyword: Word,
    words: readonly Word[],
    open: Position,
    node: KeywordNode | undefined,
    discarded: boolean,
  ): Frame {
    const serial = this.#serial;
    this.#serial += 1;
    return { keyword, words, open, node, discarded, serial, children: [], indented: undefined };
  }

  #push(
    keyword: Word,
    words: readonly Word[],
    open: Position,
    node: KeywordNode | undefined,
    discarded: boolean,
  ): void {
    this.#frames.push(this.#top);
    this.#top = this.#frame(keyword, words, open, node, discarded);
  }

  #pop(end: Position): void {
    const outer = this.#frames.pop();
    if (outer === undefined) return;
    const closed = this.#top;
    const { keyword, words, children, discarded } = closed;
    this.#top = outer;
    if (!discarded) outer.children.push({ keyword, words, block: children, end });
    // The block that seemed to be ended by another's brace has one of its own.
    if (this.#suspicion?.under === closed) this.#suspicion = undefined;
  }
}

/** A statement without a block. It ends where its last word begins. */
class PlainStatement implements Statement {
  readonly keyword: Word;
  readonly words: readonly Word[];
  readonly block = undefined;

  constructor(keyword: Word, words: readonly Word[]) {
    this.keyword = keyword;
    this.words = words;
  }

  get end(): Position {
    return (this.words.at(-1) ?? this.keyword).position;
  }
}

const place = ({ file, line, column }: Position): string => `${file}:${line}:${column}`;
