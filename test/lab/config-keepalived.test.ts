// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${…} is what is under test
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getuid } from "node:process";
import { after, test } from "node:test";
import { Findings } from "../../agent/config/keepalived/findings.ts";
import type { Argument } from "../../agent/config/keepalived/keyword.ts";
import type { KeywordNode } from "../../agent/config/keepalived/keyword-table.ts";
import { keywordTable } from "../../agent/config/keepalived/keyword-table.ts";
import { parseKeepalived } from "../../agent/config/keepalived/parse-keepalived.ts";
import { Reader } from "../../agent/config/keepalived/reader.ts";
import { configHost } from "../../agent/linux/config-host.ts";
import { eventually } from "./eventually.ts";

/*
 * keepalived names every word that it does not know, with its line. Words outside all blocks
 * therefore show what it made of conditions, definitions, generators, quotes and includes.
 */

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-config-`));
after(() => rmSync(folder, { recursive: true, force: true }));

const usable = getuid?.() === 0 && spawnSync("keepalived", ["--version"]).status === 0;
const skip = usable ? false : "needs keepalived, and root to run it";

const main = join(folder, "main.conf");
const host = configHost({ configId: "main", workingDirectory: folder });

/** Every word that keepalived does not know, with its line, in all of its readings of a file. */
function theirUnknownWords(text: string): readonly string[] {
  writeFileSync(main, text);
  const args = ["-t", "-l", "-i", "main", "-f", main];
  const { stdout, stderr } = spawnSync("keepalived", args, { cwd: folder, encoding: "utf8" });
  const found = [...`${stdout}${stderr}`.matchAll(/Line (\d+)\) Unknown keyword '(.*)'/g)];
  return found.map(([, line, word]) => `${line} ${word}`);
}

/** The first words of all lines, as we expand them. */
function ourFirstWords(text: string): readonly string[] {
  const words: string[] = [];
  const findings = new Findings();
  const sink = {
    words: (keyword: { text: string }) => words.push(keyword.text),
    open: () => words.push("{"),
    close: () => words.push("}"),
  };
  new Reader(host, sink, findings, () => false).read(main, text);
  return words;
}

const expansions: Readonly<Record<string, string>> = {
  comments: 'aa # x\n# bb\n! cc\ndd!ee\nff#gg\n"h#i" j\nk\\#l\nm\\!n\n  \t#\n',
  quotes: '"a b" c\n"d"e\nf"g h"\n\'i j\'\n"" k\n"l\\m"\n',
  conditions:
    "@main aa\n@other bb\n@^main cc\n@^other dd\n  @main ee\n@main\n@mainx ff\n@main @^other gg\n",
  definitions:
    "$A=aa\n$A x\n${A}b\n$A.c\n$B=${A}d\n${B}\n$A=ee\n${B}\n$C=\n$C ff\n${C}gg\n$NO hh\nii$A\n",
  // A condition inside a definition is left out: keepalived 2.2.7 corrupts its heap over it.
  nested: "$X1=aa\n$N=1\n${X${N}}\n",
  lines: "$D= \\\n aa \\\n bb ${P} \\\n cc${P}\n$P=1\n$D\n$P=2\n$D\n$E= \\\n $D \\\n dd\n$E\n",
  "lines ended by an empty one": "$D= \\\n aa \\\n\n bb\n$D\n",
  "comments in lines": "$D= \\\n aa # x \\\n bb\n$D\ncc\n",
  sequences:
    "~SEQ(S,0,3) a${S}\n~SEQ(T,4,-2,0) b$T x\n~SEQx(U, 144, 16, 192) c${U}\n~SEQ(V,3) d${V}\n~SEQ(W,-2) e${W}\n~SEQ(Y,2,0) f${Y}\n",
  "sequences in sequences": "~SEQ(S,1,2) ~SEQ(T,8,9) a${S}.${T}\n",
  "sequences of lines": "$D= \\\n a${S} \\\n b${S}\n~SEQ(S,1,2) $D\n",
  includes: "aa\ninclude one.inc\nbb\ninclude {two,one}.inc\ninclude sub/*.inc\ncc\n",
};

for (const [name, text] of Object.entries(expansions)) {
  test(`keepalived expands alike: ${name}`, { skip }, () => {
    writeFileSync(join(folder, "one.inc"), "i1 ${_PWD}\n");
    writeFileSync(join(folder, "two.inc"), "@main i2\n");
    const all = theirUnknownWords(text).map((each) => each.replace(/^\d+ /, ""));
    // Its parent and three children read what is outside all blocks; the parent comes first.
    assert.ok(all.length > 0 && all.length % 4 === 0);
    assert.deepEqual(ourFirstWords(text), all.slice(0, all.length / 4));
  });
}

/** Lines, in blocks, whose word is unknown to keepalived and so must be to us. */
const unknown: Readonly<Record<string, string>> = {
  "in global_defs": "global_defs {\n router_id a\n priority 5\n nopreempt\n vrrp_verson 3\n}\n",
  "in an instance":
    "vrrp_instance V {\n state BACKUP\n priorty 5\n auth_type PASS\n router_id x\n advert_int 1\n}\n",
  "braces on one line": "vrrp_instance V { priorty 5 } global_defs{x y}\n",
  "after a brace too many": "vrrp_instance V {\n state BACKUP\n}\n}\nvrrp_instnce W\n",
  "in a virtual server":
    "virtual_server 1.1.1.1 80{\n delay_lop 6\n real_server 1.1.1.2 80 {\n  wieght 1\n  TCP_CHECK {\n   conect_port 80\n  }\n }\n}\n",
};

for (const [name, text] of Object.entries(unknown)) {
  test(`keepalived misses the same words: ${name}`, { skip }, () => {
    const { diagnostics } = parseKeepalived({ file: main, text }, host);
    const ours = diagnostics
      .filter(({ code }) => /unknown|misplaced/.test(code))
      .map(({ position, text: word }) => `${position.line} ${word}`);
    const theirs = new Set(theirUnknownWords(text).filter((each) => !/ [{}]$/.test(each)));
    assert.deepEqual(ours.toSorted(), [...theirs].toSorted());
  });
}

/** Values that an argument takes, for trying a keyword out. */
function sample(argument: Argument): string {
  if (argument.kind === "integer") return String(Math.max(argument.min, 1));
  if (argument.kind === "seconds" || argument.kind === "word") return "1";
  if (argument.kind === "enum") return argument.values[0] ?? "";
  if (argument.kind === "boolean") return "on";
  return argument.kind === "address" ? "10.0.0.1" : "x1";
}

function sampleText(node: KeywordNode, indent = ""): string {
  const { name, grammar, block } = node.keyword;
  const line = indent + [name, ...grammar.required.map(sample)].join(" ");
  if (block === undefined) return `${line}\n`;
  const inner = [...(node.children?.values() ?? [])].map((child) =>
    sampleText(child, `${indent} `),
  );
  return `${line} {\n${inner.join("")}${indent}}\n`;
}

/** Words that came after 2.2.7, or that are our own. */
const newer = new Set(
  "v3_checksum_as_v2 timer_expired_backup thread_timer_expired owner_ignore_adverts no_virtual_ipaddress auth_hmac key active_key time_window anti_replay mode multihop sni_name tls_compliant".split(
    " ",
  ),
);
const blocks =
  "vrrp_instance vrrp_sync_group garp_group vrrp_script vrrp_track_process track_file bfd_instance virtual_server SSL track_group";

for (const name of blocks.split(" ")) {
  test(`the table has keepalived's words in their places: ${name}`, { skip }, () => {
    const node = keywordTable.root.children?.get(name);
    assert.ok(node !== undefined);
    const text = sampleText(node).replace("virtual_server 1", "virtual_server 10.0.0.9 80");
    const strange = theirUnknownWords(`zz_marker\n${text}`).map((each) => each.split(" ")[1] ?? "");
    assert.ok(strange.includes("zz_marker"));
    assert.deepEqual(
      strange.filter(
        (word) =>
          !newer.has(word) && !word.startsWith("holdfast_") && !"{}zz_marker".includes(word),
      ),
      [],
    );
  });
}

/** Our words of VRRP that stand in a block, with values. */
const ownLines = (block: string): string =>
  [...(keywordTable.root.children?.get(block)?.children?.values() ?? [])]
    .filter(({ keyword }) => keyword.name.startsWith("holdfast_"))
    .map((node) => {
      const more = node.keyword.grammar.optional.map(sample).join(" ");
      return `${sampleText(node, " ").trimEnd()} ${more}\n`;
    })
    .join("");

const routersWith = (own: (block: string) => string): string => `global_defs {
${own("global_defs")} router_id main
}
vrrp_sync_group G {
${own("vrrp_sync_group")} group {
  VI_1
  VI_2
 }
}
${[1, 2].map((at) => routerText(at, own("vrrp_instance"))).join("")}`;

const routerText = (at: number, own: string): string => `vrrp_instance VI_${at} {
${own} interface hfk
 virtual_router_id ${50 + at}
${own} priority ${140 + at}
 virtual_ipaddress {
  192.0.2.${at}/24
  192.0.2.${at + 10}/32
 }
${own}}
`;

/** What is between these, with what it is made of; `undefined`: it is not all there yet. */
function dumpIn(said: string): readonly string[] | undefined {
  const all = said.split("\n").map((line) => line.replace(/^\w+ \w+ [^a-z(]*20\d\d: /, ""));
  const begin = all.findIndex((line) => line.includes("VRRP Topology"));
  const end = all.findIndex((line, at) => at > begin && line.includes("Interfaces"));
  if (begin < 0 || end < 0) return undefined;
  // Its other processes log to the same place whenever they like; what is written down is indented.
  return all
    .slice(begin, end)
    .filter((line) => /^(?:\s|---)/.test(line) && !/time|Last|Checksum/i.test(line));
}

/** What keepalived has made of a file, as it writes it down at its start. */
async function theirDump(text: string): Promise<readonly string[]> {
  writeFileSync(main, text);
  const pids = `-p ${join(folder, "pid")} -r ${join(folder, "vrrp.pid")}`;
  const run = `ip link add hfk type veth peer name hfp && ip addr add 192.0.2.200/24 dev hfk
ip link set hfk up; ip link set hfp up
exec keepalived -n -l -d -P -i main -f ${main} ${pids} 2>&1`;
  const child = spawn("unshare", ["-n", "sh", "-c", run], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    said += more;
  });
  try {
    return await eventually("it is written down", 20_000, () => dumpIn(said) ?? assert.fail(said));
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

test("none of our words costs keepalived anything of its own", {
  skip,
  timeout: 60_000,
}, async () => {
  const text = routersWith(ownLines);
  const own = new Set(theirUnknownWords(text).map((each) => each.split(" ")[1] ?? ""));
  assert.deepEqual([...own].toSorted(), [
    "holdfast_advert_interface",
    "holdfast_drop_foreign_addresses",
    "holdfast_fence",
    "holdfast_fencing",
    "holdfast_witness",
  ]);
  const dump = await theirDump(text);
  const shown = dump.join("\n");
  for (const at of [1, 2]) {
    assert.match(shown, new RegExp(`Priority = ${140 + at}\\b`));
    assert.match(shown, new RegExp(`192\\.0\\.2\\.${at}/24`));
    assert.match(shown, new RegExp(`192\\.0\\.2\\.${at + 10}(?:/32)? dev`));
  }
  assert.deepEqual(dump, await theirDump(routersWith(() => "")));
});
