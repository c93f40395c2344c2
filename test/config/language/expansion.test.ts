// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${…} is what is under test
import assert from "node:assert/strict";
import { test } from "node:test";
import { findingLines, memoryHost, parse, treeText } from "./memory-host.ts";

/** The lines that come out of a block that takes any line. */
function lines(text: string, before = ""): string {
  const { tree, diagnostics } = parse(`${before}\nstatic_ipaddress {\n${text}\n}`);
  assert.deepEqual(diagnostics, []);
  return treeText(tree[0]?.block ?? []);
}

test("@id and @^id lines hold for their node", () => {
  assert.equal(
    lines("@main 1.1.1.1\n@backup 2.2.2.2\n@^main 3.3.3.3\n@^backup 4.4.4.4"),
    "1.1.1.1\n4.4.4.4\n",
  );
  assert.equal(lines("@main"), "");
  assert.equal(lines("  @main\t1.1.1.1 dev x@y"), "1.1.1.1 dev x@y\n");
});

test("definitions are replaced at use, again and again", () => {
  const base = "$BASE=10.2.${SUB}\n$SUB=0";
  assert.equal(
    lines("${BASE}.100/32\n$SUB=10\n${BASE}.100/32", base),
    "10.2.0.100/32\n10.2.10.100/32\n",
  );
  assert.equal(lines("$A", "$A=1.1.1.1 dev $B\n$B=eth0"), "1.1.1.1 dev eth0\n");
  assert.equal(lines("${X${N}}", "$X1=1.1.1.1\n$N=1"), "1.1.1.1\n");
  assert.equal(lines("1.1.1.1 $E", "$E="), "1.1.1.1\n");
  assert.equal(lines("$IF 1.1.1.1\n$NOT 2.2.2.2", "$IF=@main\n$NOT=@other"), "1.1.1.1\n");
  assert.equal(lines("a$A.b", "$A=x"), "a$A.b\n");
  assert.equal(lines('1.1.1.1 "$A ${A}"', "$A=x"), '1.1.1.1 "x x"\n');
});

test("built-in definitions", () => {
  assert.equal(lines("${_PWD}/x ${_INSTANCE} ${_ENV SITE}"), "/etc/keepalived/x main berlin\n");
  const host = memoryHost({}, { random: (min, max) => max - min });
  const text = "static_ipaddress {\n${_RANDOM} ${_RANDOM 5} ${_RANDOM 5 9}\n}";
  assert.equal(treeText(parse(text, host).tree[0]?.block ?? []), "32767 32762 4\n");
});

test("definitions of several lines", () => {
  const text = `$I= \\
  vrrp_instance VI_\${N} { \\
    interface eth0.\${N} \\
    @main priority 200 # more \\
    @other priority 100 \\
    $T \\
  }
$T= \\
  track_interface { \\
    eth\${N} \\
  }
$N=1
$I
$N=2
$I`;
  const { tree, diagnostics } = parse(text);
  assert.deepEqual(diagnostics, []);
  const one = (n: number) =>
    `vrrp_instance VI_${n} {\n  interface eth0.${n}\n  priority 200\n  track_interface {\n    eth${n}\n  }\n}\n`;
  assert.equal(treeText(tree), one(1) + one(2));
  const place = tree[1]?.block?.[0]?.keyword.position;
  assert.deepEqual(place, { file: "k.conf", line: 3, column: 5 });
});

test("an empty line ends a definition, as in keepalived", () => {
  assert.equal(
    lines("$D\n3.3.3.3", "$D= \\\n1.1.1.1 \\\n2.2.2.2 \\\n"),
    "1.1.1.1\n2.2.2.2\n3.3.3.3\n",
  );
});

test("~SEQ repeats a line", () => {
  const table: readonly [string, string][] = [
    ["~SEQ(S, 0, 3) ${S}", "0 1 2 3"],
    ["~SEQ(S, 4, -2, 0) ${S}", "4 2 0"],
    ["~SEQ(S, 3) $S", "1 2 3"],
    ["~SEQ(S, -2) $S", "-1 -2"],
    ["~SEQ(S, 2, 0) $S", "2 1 0"],
    ["~SEQ(S,0x8,010)$S", "8"],
    ["~SEQx(S, 144, 16, 192) f${S}", "f90 fa0 fb0 fc0"],
    ["~SEQx(A, 0x90, 0x10, 0xa0) ~SEQx(B, 2, -1, 1) ${A}:${B}", "90:2 90:1 a0:2 a0:1"],
    ["~SEQ(S, $FROM, ${TO}) $S", "2 3"],
  ];
  for (const [text, expected] of table) {
    assert.equal(lines(text, "$FROM=2\n$TO=3"), `${expected.replaceAll(" ", "\n")}\n`, text);
  }
});

test("~LST repeats a line with listed values", () => {
  const table: readonly [string, string][] = [
    ["~LST(I, a, b,c) $I", "a b c"],
    ["~LST({I, J}, {10,1},{20,4}) ${I}.${J}", "10.1 20.4"],
    ["~LST(I, 1, 2) ~LST(J, 5,6) ${I}.${J}", "1.5 1.6 2.5 2.6"],
    ["~LST({I,J},{1,2},{3,4}) ~SEQ(K, 8, 9) ${I}.${J}.${K}", "1.2.8 1.2.9 3.4.8 3.4.9"],
    ["~LST(I, a) @main ~LST(J, b) ${I}${J}", "ab"],
  ];
  for (const [text, expected] of table) {
    assert.equal(lines(text), `${expected.replaceAll(" ", "\n")}\n`, text);
  }
});

test("a generator repeats a definition of several lines, and works behind a brace", () => {
  const text = "$I= \\\nvrrp_instance V${N} { \\\n priority $N \\\n}\n~SEQ(N, 1, 2) $I";
  assert.equal(
    treeText(parse(text).tree),
    "vrrp_instance V1 {\n  priority 1\n}\nvrrp_instance V2 {\n  priority 2\n}\n",
  );
  const inline = "static_ipaddress { ~SEQ(N, 1, 2) 1.1.1.${N}\n}";
  assert.equal(treeText(parse(inline).tree), "static_ipaddress {\n  1.1.1.1\n  1.1.1.2\n}\n");
});

test("what cannot be generated is located", () => {
  for (const text of [
    "~SEQ(1, 2, 3) x",
    "~SEQ(A) x",
    "~SEQ(A, 1, 0, 3) x",
    "~SEQ(A, 3, 1, 1) x",
    "~SEQ(A, b, 3) x",
    "~SEQ(A, 1, 2, 3, 4) x",
    "~SEQx(A, -3, 1) x",
    "~SEQ A 1 2",
    "~LST(A) x",
    "~LST({A,B}, {1}) x",
    "~LST({A,B}, 1) x",
    "~ABC(A, 1) x",
    "~",
  ]) {
    const found = findingLines(`static_ipaddress {\n  ${text}\n}`);
    assert.deepEqual(found, [`2:3 generator-invalid ${text}`], text);
  }
});

test("expansion is bounded", () => {
  const laughs = ["$L0=ha"];
  for (let i = 1; i < 40; i += 1) laughs.push(`$L${i}=\${L${i - 1}}\${L${i - 1}}`);
  assert.match(findingLines(`${laughs.join("\n")}\n$L39`).join("\n"), /^41:1 expansion-too-large/m);
  assert.match(findingLines("$A=${A}\n$A").join("\n"), /^2:1 definition-too-deep/m);
  assert.match(findingLines("$A=@main $A\n$A").join("\n"), /^2:1 definition-too-deep/m);
  assert.match(
    findingLines("$A= \\\n $B \\\n $B\n$B= \\\n $A \\\n $A\n$A").join("\n"),
    /definition-too-deep|expansion-too-large/,
  );
  const seq = "~SEQ(A,1,999999999) ~SEQ(B,1,999999999) @other x";
  assert.match(findingLines(seq).join("\n"), /expansion-too-large/);
});

test("an undefined name is literal, and said", () => {
  assert.deepEqual(findingLines("static_ipaddress {\n $NO\n a$NO\n}"), ["2:2 undefined-name $NO"]);
  assert.deepEqual(findingLines("static_ipaddress {\n 1.1.1.1 ${NO}\n}"), [
    "2:10 undefined-definition ${NO}",
  ]);
  assert.deepEqual(findingLines('static_ipaddress {\n 1.1.1.1 "${NO}"\n}'), []);
});

test("line ends may be those of DOS", () => {
  const text = "$D= \\\r\n1.1.1.1 \\\r\n2.2.2.2\r\nstatic_ipaddress {\r\n$D\r\n}\r\n";
  assert.equal(treeText(parse(text).tree), "static_ipaddress {\n  1.1.1.1\n  2.2.2.2\n}\n");
});
