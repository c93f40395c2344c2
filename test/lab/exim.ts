import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerIdentity } from "../plugins/certificates.ts";
import { closedPort } from "../plugins/servers.ts";
import { eventually } from "./eventually.ts";

export const MAIL_USER = "holdfast";
export const MAIL_PASSWORD = "pa:ss wörd";

/** Debian's exim as a plain process on loopback ports, with TLS and AUTH, delivering into a folder. */
export class Exim {
  readonly folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-exim-`));
  /** STARTTLS is offered. */
  port = 0;
  /** TLS from the first byte. */
  tlsPort = 0;
  /** No TLS and no AUTH. */
  plainPort = 0;
  #child: ChildProcess | undefined;

  /** Recipients at `example.org` exist, but `nobody@`; others are refused. */
  async start(identity: ServerIdentity): Promise<void> {
    [this.port, this.tlsPort, this.plainPort] = [
      await closedPort(),
      await closedPort(),
      await closedPort(),
    ];
    const file = (name: string): string => join(this.folder, name);
    writeFileSync(file("key.pem"), identity.key);
    writeFileSync(file("cert.pem"), identity.cert);
    writeFileSync(file("exim.conf"), this.#config());
    for (const name of ["spool", "log", "mail"]) mkdirSync(file(name));
    const [uid, gid] = ["-u", "-g"].map((flag) =>
      Number(execFileSync("id", [flag, "Debian-exim"], { encoding: "utf8" })),
    );
    for (const name of [".", "key.pem", "cert.pem", "spool", "log", "mail"]) {
      chownSync(file(name), uid ?? 0, gid ?? 0);
    }
    chmodSync(this.folder, 0o755);
    const ports = [this.port, this.tlsPort, this.plainPort].map((port) => `127.0.0.1.${port}`);
    const child = spawn(
      "/usr/sbin/exim4",
      ["-C", file("exim.conf"), "-bdf", "-q1h", "-oX", ports.join(" : ")],
      {
        stdio: "ignore",
        detached: true,
      },
    );
    this.#child = child;
    await eventually("exim listens", 30_000, () => connected(this.plainPort));
  }

  /** Mail that has arrived, as it was received, oldest first. */
  get messages(): readonly string[] {
    const folder = join(this.folder, "mail/new");
    try {
      return readdirSync(folder)
        .sort()
        .map((name) => readFileSync(join(folder, name), "utf8"));
    } catch {
      return [];
    }
  }

  /** Waits until mail has arrived that `wanted` holds of. */
  arrived(wanted: (message: string) => boolean): Promise<string> {
    return eventually("the mail arrives", 30_000, () => {
      const message = this.messages.find(wanted);
      if (message === undefined)
        throw new Error(`${this.messages.length} others are there\n${this.log}`);
      return message;
    });
  }

  get connections(): number {
    return this.log.split("(TCP/IP connection count").length - 1;
  }

  get log(): string {
    const folder = join(this.folder, "log");
    return readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
  }

  async dispose(): Promise<void> {
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      // With those that deliver: they would make its folders anew.
      process.kill(-child.pid, "SIGKILL");
      await once(child, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #config(): string {
    const { folder, port, tlsPort, plainPort } = this;
    return `
primary_hostname = mail.example.org
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
log_selector = +smtp_connection
pid_file_path = ${folder}/exim.pid
domainlist local_domains = example.org
acl_smtp_rcpt = recipient
tls_advertise_hosts = \${if eq{$received_port}{${plainPort}} {} {*}}
tls_certificate = ${folder}/cert.pem
tls_privatekey = ${folder}/key.pem
tls_on_connect_ports = ${tlsPort}
daemon_smtp_ports = ${port}
auth_advertise_hosts = \${if eq{$tls_in_cipher}{} {} {*}}
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
never_users = root

begin acl
recipient:
  deny local_parts = nobody
       message = there is no such user here
  accept domains = +local_domains
         condition = \${if eq{$received_port}{${plainPort}}}
  accept domains = +local_domains
         authenticated = *
  deny message = relaying is not permitted

begin routers
everybody:
  driver = accept
  transport = folder

begin transports
folder:
  driver = appendfile
  directory = ${folder}/mail
  maildir_format
  user = Debian-exim
  delivery_date_add
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and{{eq{$auth2}{${MAIL_USER}}}{eq{$auth3}{${MAIL_PASSWORD}}}}}
  server_set_id = $auth2
`;
  }
}

async function connected(port: number): Promise<void> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    await once(socket, "data");
  } finally {
    socket.destroy();
  }
}
