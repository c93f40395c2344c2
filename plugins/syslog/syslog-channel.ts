import type { Severity } from "../../agent/core/notify/notice.ts";
import type { Channel } from "../../agent/ports/channels.ts";

/** The local daemon; what it does not take is lost, as with every program's messages. */
export interface SyslogWriter {
  write(
    severity: "error" | "warning" | "notice" | "info",
    message: string,
    wallClock: number,
  ): void;
  close(): void;
}

const SEVERITIES: Readonly<Record<Severity, "error" | "warning" | "notice" | "info">> = {
  info: "info",
  resolved: "notice",
  warning: "warning",
  critical: "error",
};

/** Notices as lines of syslog: title and text on one line. */
export const syslogChannel = (open: () => SyslogWriter) => (): Channel => {
  const writer = open();
  return {
    send({ title, text, severity, at }) {
      const line = [title, text].filter((part) => part !== "").join(": ");
      writer.write(SEVERITIES[severity], line, at);
      return Promise.resolve({ kind: "delivered" });
    },
    close() {
      writer.close();
      return Promise.resolve();
    },
  };
};
