import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Agent } from "../lab/agent.ts";
import { skip } from "../lab/cluster.ts";
import { eventually } from "../lab/eventually.ts";
import { Keepalived } from "../lab/keepalived.ts";
import { nothingLeft } from "../lab/leftovers.ts";
import { Pair } from "../lab/pair.ts";
import type { Brand } from "./programs.ts";
import { build, TAKEOVER_MS } from "./programs.ts";
import type { Mail } from "./smtp-sink.ts";
import { smtpSink } from "./smtp-sink.ts";

/*
 * The same configuration and the same happenings: what is told, by both programs. What differs, and why:
 * - MASTER_RX_LOWER_PRI: keepalived tells of each packet, we now and then while the other goes on.
 * - Scripts: keepalived starts all of a transition at once, we one after another for each instance.
 * - Mail of a stop: keepalived ends before it has gone, we send it.
 * - The reader of a FIFO: keepalived ends it with lines unread, ours reads to the end.
 * - How instances come between each other is nobody's promise.
 */

/** What one program told. */
interface Told {
  /** Lines of the FIFO that somebody else reads, and of the one with a reader of its own. */
  readonly fifo: readonly string[];
  readonly reader: readonly string[];
  /** Arguments of each call of a script, the log's name left out. */
  readonly scripts: readonly string[];
  readonly mail: readonly Mail[];
}

/** Of scripts, that of a lower priority counted once. */
const CALLS = { beforeStop: 32, all: 37 };
/** Until the stop. */
const MAILS = 18;

const SCRIPT = `#!/bin/sh
log=$1; shift
line=$(printf '[%s]' "$@")
who=$(id -un)
[ "$who" = root ] || line="$who $line"
echo "$line" >> "$log"
`;
/** Its last argument is the FIFO. */
const READER = `#!/bin/sh
exec cat "$2" >> "$1"
`;

const configuration = (folder: string, withThird: boolean): string => {
  const script = (...args: readonly string[]): string =>
    `"${folder}/script.sh ${folder}/scripts ${args.join(" ")}"`;
  const instance = (name: string, vrid: number, link: string, lines: readonly string[]): string =>
    `vrrp_instance ${name} {
  interface ${link}
  virtual_router_id ${vrid}
  version 3
  advert_int 0.1
  priority 100
${lines.map((line) => `  ${line}\n`).join("")}  virtual_ipaddress {
    192.0.2.${vrid}/24
  }
}
`;
  return `global_defs {
  router_id lb1
  script_user root
  notification_email {
    ops@example.org
    root
  }
  notification_email_from lb1@example.org
  smtp_server 127.0.0.1
  smtp_helo_name lb1.example.org
  startup_script ${script("startup")}
  shutdown_script ${script("shutdown", "'one word'")}
  notify_fifo ${folder}/all.fifo
  notify_fifo_script "${folder}/reader.sh ${folder}/reader"
  vrrp_notify_fifo ${folder}/vrrp.fifo
}
track_file number {
  file ${folder}/number
  weight 1
}
vrrp_sync_group VG_1 {
  group {
    VI_1
    VI_2
  }
  notify_master ${script("group-master")}
  notify_backup ${script("group-backup")}
  notify_fault ${script("group-fault")}
  notify_stop ${script("group-stop")}
  notify ${script("group")}
  smtp_alert
}
${instance("VI_1", 51, "eth0", [
  `notify_master ${script("master", "'two words'")}`,
  `notify_backup ${script("backup")}`,
  `notify_fault ${script("fault")}`,
  `notify_stop ${script("stop")}`,
  `notify ${script("any")}`,
  `notify_master_rx_lower_pri ${script("lower")}`,
  "notify_priority_changes",
  "smtp_alert",
])}${instance("VI_2", 52, "eth1", [])}${
  withThird
    ? instance("VI_3", 53, "eth0", [
        `notify_deleted ${script("third-deleted")}`,
        `notify ${script("third")}`,
        "notify_priority_changes",
        "track_file {",
        "  number",
        "}",
        "smtp_alert",
      ]) +
      instance("VI_4", 54, "eth0", [
        `notify_fault ${script("fourth-fault")}`,
        `notify ${script("fourth")}`,
        "smtp_alert",
      ]) +
      `vrrp_sync_group VG_2 {
  group {
    VI_5
    VI_6
  }
  notify_fault ${script("group-2-fault")}
  notify ${script("group-2")}
  smtp_alert
}
` +
      instance("VI_5", 55, "eth0", []) +
      instance("VI_6", 56, "eth0", [`notify_backup ${script("sixth-backup")} nobody`])
    : ""
}`;
};

/** Everything that one program does with its configuration, from its start to its end. */
class Scene {
  readonly folder: string;
  readonly mail: Mail[] = [];
  readonly #pair: Pair;
  #cat: ChildProcess | undefined;
  #sink: Server | undefined;

  constructor(pair: Pair) {
    this.#pair = pair;
    this.folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-told-`));
    for (const [name, text] of Object.entries({ "script.sh": SCRIPT, "reader.sh": READER })) {
      writeFileSync(join(this.folder, name), text);
      chmodSync(join(this.folder, name), 0o755);
    }
    writeFileSync(join(this.folder, "number"), "0\n");
    // One of the scripts is another user's.
    writeFileSync(join(this.folder, "scripts"), "");
    chmodSync(join(this.folder, "scripts"), 0o666);
    chmodSync(this.folder, 0o755);
    execFileSync("mkfifo", ["-m", "0600", join(this.folder, "vrrp.fifo")]);
  }

  async play(brand: Brand): Promise<Told> {
    const [node, other] = this.#pair.nodes;
    const inner = this.#pair.lab.segment("inner");
    const [link] = this.#pair.nodes.map((one, at) =>
      this.#pair.lab.attach(one, inner, { name: "eth1", addresses: [`198.51.100.${at + 1}/24`] }),
    );
    // Held open for writing too: it never sees an end.
    this.#cat = node.spawn("sh", [
      "-c",
      'exec cat <> "$0" > "$1"',
      this.#path("vrrp.fifo"),
      this.#path("fifo"),
    ]);
    this.#sink = await smtpSink(node, 25, (mail) => this.mail.push(mail));
    const program = this.#pair.add(build(brand, node, configuration(this.folder, true)));
    await program.start();
    await this.#told('INSTANCE "VI_4" MASTER', 'INSTANCE "VI_3" MASTER', 'GROUP "VG_1" MASTER');
    await this.#told('GROUP "VG_2" MASTER');
    writeFileSync(this.#path("number"), "10\n");
    await this.#told('INSTANCE "VI_3" MASTER_PRIORITY 110');
    writeFileSync(this.#path("number"), "0\n");
    await this.#told('INSTANCE "VI_3" MASTER_PRIORITY 100');
    link?.setPlugged(false);
    await this.#told('GROUP "VG_1" FAULT', 'INSTANCE "VI_1" FAULT', 'INSTANCE "VI_2" FAULT');
    link?.setPlugged(true);
    await this.#told(
      ...['GROUP "VG_1" MASTER', 'INSTANCE "VI_1" MASTER', 'INSTANCE "VI_2" MASTER'].map(twice),
    );
    const rival = await this.#deafRival(other);
    await this.#told('INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100');
    await rival.stop();
    writeFileSync(configFile(program), configuration(this.folder, false));
    process.kill(pidOf(program), "SIGHUP");
    await this.#told('INSTANCE "VI_3" DELETED', 'INSTANCE "VI_4" FAULT');
    // keepalived waits for neither when it stops.
    await this.#called(CALLS.beforeStop);
    await eventually("all mail until the stop", TAKEOVER_MS, () => {
      const subjects = this.mail.map(({ subject }) => subject);
      assert.ok(subjects.length >= MAILS, subjects.join("\n"));
    });
    await program.stop();
    await this.#told('INSTANCE "VI_1" STOP', 'INSTANCE "VI_2" STOP', 'GROUP "VG_1" STOP');
    await this.#called(CALLS.all);
    return {
      fifo: this.#lines("fifo"),
      reader: this.#lines("reader"),
      scripts: this.#lines("scripts"),
      mail: this.mail,
    };
  }

  dispose(): void {
    this.#cat?.kill("SIGKILL");
    this.#sink?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A router of lower priority that hears nobody. */
  async #deafRival(node: LabNode): Promise<Keepalived> {
    const ruleset = `table ip deaf {
  chain input {
    type filter hook input priority 0
    ip protocol 112 drop
  }
}
`;
    assert.equal(node.exec("nft", ["-f", "-"], ruleset).status, 0);
    const rival = this.#pair.add(
      new Keepalived(
        node,
        `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  advert_int 0.1
  priority 50
  virtual_ipaddress {
    192.0.2.51/24
  }
}
`,
      ),
    );
    await rival.start();
    return rival;
  }

  /** Waits until the FIFO has these beginnings of lines. */
  #told(...beginnings: readonly (string | { readonly twice: string })[]): Promise<void> {
    return eventually(`told ${JSON.stringify(beginnings)}`, TAKEOVER_MS, () => {
      const lines = this.#lines("fifo");
      for (const one of beginnings) {
        const [text, least] = typeof one === "string" ? [one, 1] : [one.twice, 2];
        const found = lines.filter((line) => line.startsWith(text)).length;
        assert.ok(found >= least, `${text} in\n${lines.join("\n")}`);
      }
    });
  }

  /** Waits until so many calls have come. */
  #called(count: number): Promise<void> {
    return eventually(`${count} calls of scripts`, TAKEOVER_MS, () => {
      const came = calls(this.#lines("scripts"));
      assert.ok(came.length >= count, came.join("\n"));
    });
  }

  #lines(name: string): readonly string[] {
    const path = this.#path(name);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

const twice = (text: string) => ({ twice: text });

const configFile = (program: Agent | Keepalived | object): string =>
  program instanceof Agent || program instanceof Keepalived
    ? join(program.folder, "keepalived.conf")
    : "";

function pidOf(program: object): number {
  if (program instanceof Agent) return program.pid;
  if (!(program instanceof Keepalived)) throw new TypeError("neither program");
  return Number(readFileSync(join(program.folder, "pid"), "utf8"));
}

const tell = async (brand: Brand): Promise<Told> => {
  let told: Told | undefined;
  await Pair.run({}, async (pair) => {
    const scene = new Scene(pair);
    try {
      told = await scene.play(brand);
    } finally {
      scene.dispose();
    }
  });
  assert.ok(told);
  return told;
};

/** Of each instance and group by itself: how they come between each other is nobody's promise. */
function bySubject(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const subjects: Record<string, string[]> = {};
  for (const line of withoutRepeats(lines)) {
    const subject = line.split(" ").slice(0, 2).join(" ");
    subjects[subject] = [...(subjects[subject] ?? []), line];
  }
  return subjects;
}

/** keepalived tells of each packet of a lower priority; here it is told once in a while. */
const withoutRepeats = (lines: readonly string[]): readonly string[] =>
  lines.filter((line, at) => !(line === lines[at - 1] && line.includes("MASTER_RX_LOWER_PRI")));

/** In any order: keepalived starts them all at once. */
const calls = (lines: readonly string[]): readonly string[] =>
  [
    ...lines.filter((line) => line !== "[lower]"),
    ...(lines.includes("[lower]") ? ["[lower]"] : []),
  ].sort();

/** What keepalived sends at a stop is lost: it ends before its mail has gone. */
const mails = (mail: readonly Mail[]): readonly string[] =>
  mail
    .filter(({ subject }) => !subject.endsWith("Stopping"))
    .map(({ from, to, subject, body, helo }) => [from, to, helo, subject, body].join(" | "))
    .sort();

describe("what is told of the same happenings", { skip }, () => {
  after(nothingLeft);
  test("by scripts, FIFOs and mail, as by keepalived", { timeout: 180_000 }, async () => {
    const theirs = await tell("keepalived");
    const ours = await tell("holdfast");
    assert.deepEqual(bySubject(ours.fifo), bySubject(theirs.fifo));
    assert.deepEqual(calls(ours.scripts), calls(theirs.scripts));
    assert.ok(ours.scripts.includes("nobody [sixth-backup]"));
    assert.equal(ours.scripts[0], "[startup]");
    assert.equal(ours.scripts.at(-1), "[shutdown][one word]");
    assert.deepEqual(mails(ours.mail), mails(theirs.mail));
    // keepalived ends its reader, and so what was written last is not always read.
    const read = bySubject(theirs.reader);
    for (const [subject, lines] of Object.entries(bySubject(ours.reader))) {
      assert.deepEqual(lines.slice(0, read[subject]?.length ?? 0), read[subject] ?? []);
    }
    assert.deepEqual(bySubject(ours.reader), bySubject(ours.fifo), "nothing was lost on the way");
    const stops = ours.mail.filter(({ subject }) => subject.endsWith("Stopping"));
    assert.equal(stops.length, 2, "mail of the stop is sent");
    // One after another for each of them, the state's own first.
    const first = ours.scripts.indexOf("[master][two words]");
    assert.ok(first >= 0 && first < ours.scripts.indexOf("[any][INSTANCE][VI_1][MASTER][100]"));
  });
});
