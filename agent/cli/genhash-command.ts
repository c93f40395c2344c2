import type { CommandSpec } from "./command.ts";
import { HELP } from "./command.ts";

/** With the options of keepalived's program of that name. */
export const GENHASH: CommandSpec = {
  name: "genhash",
  operands: "",
  count: [0, 0],
  about: "Print the digest of a page, as `digest` of a url takes it",
  details: [
    "  holdfast genhash -s 10.0.0.1 -p 80 -u /health",
    "Asks as HTTP_GET does, with -S as SSL_GET, and prints the MD5 of the body.",
    "Status 0: here it is; 1: no answer, or a body of more than 1 MiB.",
  ],
  options: [
    { name: "server", short: "s", value: { name: "ADDRESS" }, about: "The server to ask" },
    { name: "port", short: "p", value: { name: "PORT" }, about: "Default 80, with -S 443" },
    { name: "url", short: "u", value: { name: "PATH" }, about: "The page to ask for" },
    { name: "use-ssl", short: "S", about: "With TLS" },
    { name: "use-sni", short: "I", about: "With the name of -V in TLS" },
    { name: "use-virtualhost", short: "V", value: { name: "HOST" }, about: "Host to ask for" },
    { name: "protocol", short: "P", value: { name: "VERSION" }, about: "1.0, 1.0c, 1.1 or 2" },
    { name: "fwmark", short: "m", value: { name: "MARK" }, about: "Mark of the packets" },
    { name: "timeout", short: "t", value: { name: "SECONDS" }, about: "Default 5" },
    { name: "verbose", short: "v", about: "Status, length and time too" },
    HELP,
  ],
  load: async () => (await import("./genhash.ts")).genhash,
};
