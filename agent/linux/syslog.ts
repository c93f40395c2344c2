import { datagramSender } from "./datagram.ts";

/** RFC 5424 table 2. */
export type Severity = "error" | "warning" | "notice" | "info" | "debug";

const NUMBERS: Readonly<Record<Severity, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
/** What local daemons take in one datagram. */
const LONGEST = 8_000;

export interface Syslog {
  /** Never blocks; a message that the daemon does not take is lost. */
  write(severity: Severity, message: string, wallClock: number): void;
  close(): void;
}

/** Messages to the local daemon at `path`, marked with a facility (0–23) and the program's name. */
export function openSyslog(
  facility: number,
  program: string,
  pid: number,
  path = "/dev/log",
): Syslog {
  const sender = datagramSender(path);
  return {
    write(severity, message, wallClock) {
      const priority = facility * 8 + NUMBERS[severity];
      sender.send(syslogLine(priority, `${program}[${pid}]`, message, new Date(wallClock)));
    },
    close: () => sender.close(),
  };
}

/** The local form of RFC 3164 §4.1: time in local time, no host name, one line. */
export function syslogLine(priority: number, tag: string, message: string, at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = String(at.getDate()).padStart(2, " ");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  const line = message.replaceAll(/\p{Cc}+/gu, " ").slice(0, LONGEST);
  return `<${priority}>${MONTHS[at.getMonth()]} ${day} ${time} ${tag}: ${line}`;
}
