import type { Lowering } from "../keepalived/lower/lowering.ts";
import { report } from "../keepalived/lower/lowering.ts";
import type { Named } from "../keepalived/lower/named.ts";
import { nearest } from "../keepalived/suggest.ts";
import type { Word } from "../keepalived/tree.ts";
import { exposure, walk } from "../path-walk.ts";

const REFERENCE = /\$\{secret:([^}]*)\}/g;
/** S_IROTH | S_IWOTH | S_IXOTH. */
const OTHERS = 0o007;

/** What of a file that is not there fails, and what to do. */
interface Missing {
  readonly what: string;
  readonly hint: string;
}

const MISSING_SECRET: Missing = { what: "the secret", hint: "write the secret into the file" };
const MISSING_FILE: Missing = { what: "it", hint: "correct the path, or put the file there" };

/** The secrets of holdfast.conf: names and files. What they hold is read when it is needed. */
export class Secrets {
  /** Name → absolute path. */
  readonly files: Readonly<Record<string, string>>;
  readonly #words: Word[];
  /** Secret as well, but files of their own: keys. */
  readonly #files: Word[] = [];
  /** What everybody may read. */
  readonly #public: Word[] = [];
  readonly #lowering: Lowering;

  constructor(statements: readonly Named[], lowering: Lowering) {
    this.#lowering = lowering;
    const files = new Map<string, string>();
    const words: Word[] = [];
    for (const { name, statement } of statements) {
      const file = statement.words[1];
      if (file === undefined) continue;
      if (!file.text.startsWith("/")) {
        const message = `the file of the secret ${name.text} needs its whole path, not "${file.text}"`;
        report(lowering, "secret-invalid", file, message, "write the path from / on");
        continue;
      }
      files.set(name.text, file.text);
      words.push(file);
    }
    this.files = Object.fromEntries(files);
    this.#words = words;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.files, name);
  }

  /** A name that no secret has. */
  reportUnknown(name: string, at: Word): void {
    const meant = nearest(name, Object.keys(this.files))?.word;
    report(
      this.#lowering,
      "secret-invalid",
      at,
      `there is no secret ${name}`,
      meant === undefined ? `write secret ${name} /path/of/file` : `did you mean "${meant}"?`,
    );
  }

  /** `${secret:NAME}` in a text. */
  checkReferences(word: Word, lowering: Lowering = this.#lowering): void {
    for (const [, name = ""] of word.text.matchAll(REFERENCE)) {
      if (!this.has(name)) this.reportUnknown(name, { ...word, position: word.position });
    }
    if (!word.text.replaceAll(REFERENCE, "").includes("${secret")) return;
    const message = "a reference to a secret is not closed";
    report(lowering, "secret-invalid", word, message, "write $" + "{secret:NAME}");
  }

  /** A file that something else than a secret needs: that is to be there, and root's alone to change. */
  checkFile(word: Word, isSecret: boolean): void {
    if (isSecret) this.#files.push(word);
    else this.#public.push(word);
  }

  /** Files that are missing or that others can read. */
  reportUnreadable(): void {
    for (const word of this.#words) this.#check(word, OTHERS, MISSING_SECRET);
    for (const word of this.#files) this.#check(word, OTHERS, MISSING_FILE);
    for (const word of this.#public) this.#check(word, 0, MISSING_FILE);
  }

  #check(word: Word, forbidden: number, missing: Missing): void {
    const found = walk(word.text, this.#lowering.host);
    if (!found.ok) {
      const message = `${found.path} cannot be found (${found.errno}); what needs ${missing.what} fails`;
      report(this.#lowering, "secret-missing", word, message, missing.hint);
      return;
    }
    const fault = exposure(found.steps, [0, this.#lowering.host.uid]);
    if (fault === undefined && (found.entry.mode & forbidden) === 0) return;
    const reason = fault?.reason ?? `everybody on this host may read ${word.text}`;
    const hint = fault?.remedy ?? `chmod o= ${word.text}`;
    report(this.#lowering, "secret-exposed", word, reason, hint);
  }
}
