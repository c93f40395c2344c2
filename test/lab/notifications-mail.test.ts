import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { SmtpSettings } from "../../agent/config/settings.ts";
import type { Notice } from "../../agent/core/notify/notice.ts";
import { seconds } from "../../agent/core/time.ts";
import type { ChannelHost, Delivery } from "../../agent/ports/channels.ts";
import { putSecrets } from "../../agent/runtime/secrets.ts";
import { mailChannel } from "../../plugins/mail/mail-channel.ts";
import type { Authority } from "../plugins/certificates.ts";
import { createAuthority } from "../plugins/certificates.ts";
import { closedPort } from "../plugins/servers.ts";
import { Exim, MAIL_PASSWORD, MAIL_USER } from "./exim.ts";
import { nothingLeft } from "./leftovers.ts";

/* Mail through Debian's exim, with TLS and AUTH. */

const BOUND = { timeout: 60_000 };

let authority: Authority;
let folder: string;
const exim = new Exim();

before(async () => {
  authority = createAuthority();
  folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-mail-`));
  writeFileSync(join(folder, "password"), `${MAIL_PASSWORD}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "wrong"), "wrong", { mode: 0o600 });
  await exim.start(authority.issue("DNS:localhost,IP:127.0.0.1", 2));
});

after(async () => {
  await exim.dispose();
  authority.dispose();
  rmSync(folder, { recursive: true, force: true });
  await nothingLeft();
});

const smtp = (more: Partial<SmtpSettings> = {}): SmtpSettings => ({
  host: "127.0.0.1",
  port: exim.port,
  tls: "starttls",
  caFile: authority.caFile,
  user: MAIL_USER,
  passwordSecret: "password",
  from: "holdfast@example.org",
  ...more,
});

const host = (settings: SmtpSettings | undefined): ChannelHost => ({
  node: "lb1",
  smtp: settings,
  mail: undefined,
  secret: (text) =>
    putSecrets(text, { password: join(folder, "password"), wrong: join(folder, "wrong") }),
  wallClock: () => Date.now(),
});

const notice = (title: string, more: Partial<Notice> = {}): Notice => ({
  target: { kind: "mail", to: ["ops@example.org"], from: undefined },
  source: "policy test",
  title,
  text: "first line\n.\nFrom here on",
  severity: "info",
  json: undefined,
  key: title,
  throttleMs: 0,
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  ...more,
});

async function send(
  settings: ChannelHost,
  ...notices: readonly Notice[]
): Promise<readonly Delivery[]> {
  const channel = mailChannel(settings);
  const deliveries: Delivery[] = [];
  try {
    for (const one of notices)
      deliveries.push(await channel.send(one, AbortSignal.timeout(20_000)));
  } finally {
    await channel.close();
  }
  return deliveries;
}

const DELIVERED = [{ kind: "delivered" }] as const;

describe("mail", BOUND, () => {
  test("by STARTTLS with a login; several use one connection", async () => {
    const before = exim.connections;
    const deliveries = await send(host(smtp()), notice("starttls 1"), notice("starttls 2 – ü"));
    assert.deepEqual(deliveries, [...DELIVERED, ...DELIVERED]);
    const mail = await exim.arrived((text) => text.includes("Subject: starttls 1"));
    assert.match(mail, /with esmtpsa\s/, "TLS and AUTH");
    assert.match(mail, /^Return-path: <holdfast@example.org>$/m);
    assert.match(mail, /^From: holdfast@example.org\r?$/m);
    assert.match(mail, /^To: ops@example.org\r?$/m);
    assert.match(mail, /^Date: Fri, 02 Jan 2026 03:04:05 \+0000\r?$/m);
    assert.match(mail, /^Auto-Submitted: auto-generated\r?$/m);
    assert.match(mail, /first line\r?\n\.\r?\nFrom here on/);
    await exim.arrived((text) => text.includes("starttls_2"));
    assert.equal(exim.connections, before + 1);
  });

  test("by TLS from the first byte", async () => {
    const deliveries = await send(
      host(smtp({ port: exim.tlsPort, tls: "implicit" })),
      notice("implicit"),
    );
    assert.deepEqual(deliveries, DELIVERED);
    await exim.arrived((text) => /Subject: implicit/.test(text) && /esmtpsa/.test(text));
  });

  test("by keepalived's smtp_server, without TLS", async () => {
    const settings: ChannelHost = {
      ...host(undefined),
      mail: {
        from: "keepalived@example.org",
        to: ["ops@example.org"],
        server: { host: "127.0.0.1", port: exim.plainPort },
        heloName: "lb1.example.org",
        connectTimeout: seconds(5),
        faults: true,
      },
    };
    assert.deepEqual(await send(settings, notice("plain")), DELIVERED);
    const mail = await exim.arrived((text) => text.includes("Subject: plain"));
    assert.match(mail, /helo=lb1\.example\.org/);
    assert.match(mail, /^From: keepalived@example.org\r?$/m);
  });

  test("nothing in a notice becomes a header or a recipient", async () => {
    const evil = notice("evil\r\nBcc: victim@example.org\r\n\r\nbody", {
      text: "\r\nSubject: other",
    });
    assert.deepEqual(await send(host(smtp()), evil), DELIVERED);
    const mail = await exim.arrived((text) => text.includes("Subject: evil"));
    const [head = ""] = mail.split(/\r?\n\r?\n/);
    assert.doesNotMatch(head, /^Bcc:/m);
    assert.match(mail, /^Envelope-to: ops@example.org$/m);
    const to = ["ops@example.org\r\nRCPT TO:<victim@example.org>"];
    const [refused] = await send(
      host(smtp()),
      notice("odd", { target: { kind: "mail", to, from: undefined } }),
    );
    assert.equal(refused?.kind, "refused");
  });

  test("a second try of a notice has the same Message-ID", async () => {
    await send(host(smtp()), notice("twice"), notice("twice"));
    await exim.arrived((text) => text.includes("Subject: twice"));
    const ids = new Set(
      exim.messages
        .filter((text) => text.includes("Subject: twice"))
        .map((text) => /^Message-ID: (.*)$/im.exec(text)?.[1]),
    );
    assert.equal(ids.size, 1);
  });
});

describe("mail that does not go", BOUND, () => {
  /** Whether it is tried again, and what is said. */
  async function fails(settings: ChannelHost, one: Notice, kind: Delivery["kind"], reason: RegExp) {
    const [delivery] = await send(settings, one);
    assert.equal(delivery?.kind, kind, JSON.stringify(delivery));
    assert.match("reason" in delivery ? delivery.reason : "", reason);
    assert.doesNotMatch(JSON.stringify(delivery), /wörd/);
  }

  test("a wrong password may be put right", () =>
    fails(host(smtp({ passwordSecret: "wrong" })), notice("a"), "failed", /the login failed: 535/));

  test("a secret that is missing", () =>
    fails(host(smtp({ passwordSecret: "nobody" })), notice("a"), "failed", /no secret "nobody"/));

  test("a certificate that nobody vouches for", () =>
    fails(host(smtp({ caFile: undefined })), notice("a"), "failed", /certificate/i));

  test("a server without STARTTLS, where it is wanted", () =>
    fails(host(smtp({ port: exim.plainPort })), notice("a"), "failed", /STARTTLS/i));

  test("a password without TLS, but to this host", () =>
    fails(
      host(smtp({ host: "192.0.2.1", tls: "none" })),
      notice("a"),
      "failed",
      /a password is sent over TLS only/,
    ));

  test("nobody listens", async () =>
    fails(host(smtp({ port: await closedPort() })), notice("a"), "failed", /ECONNREFUSED/));

  test("no server at all", () =>
    fails(host(undefined), notice("a"), "failed", /add an smtp block to holdfast.conf/));

  test("a recipient who does not exist is refused for good", () =>
    fails(
      host(smtp()),
      notice("a", { target: { kind: "mail", to: ["nobody@example.org"], from: undefined } }),
      "refused",
      /there is no such user/,
    ));

  test("some recipients are there: it is delivered, and the others are named", async () => {
    const to = ["ops@example.org", "nobody@example.org"];
    const [delivery] = await send(
      host(smtp()),
      notice("partly", { target: { kind: "mail", to, from: undefined } }),
    );
    assert.deepEqual(delivery, {
      kind: "delivered",
      remark: "the mail server refused nobody@example.org",
    });
    await exim.arrived((text) => text.includes("Subject: partly"));
  });
});
