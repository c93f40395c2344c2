/** Files that exist. */
export const FILES = { "/bin/check": "", "/bin/tell": "", "/bin/sh": "" };

/** A virtual server with these lines, and one real server with those. */
export const virtual = (lines: string, real = "", target = "192.0.2.1 80"): string =>
  `virtual_server ${target} {\nprotocol TCP\n${lines}\nreal_server 192.0.2.10 80 {\n${real}\n}\n}\n`;

/** One with a check of this kind. */
export const check = (kind: string, lines: string, around = ""): string =>
  virtual(around, `${kind} {\n${lines}\n}`);

export const url = (lines: string): string => check("HTTP_GET", `url {\npath /\n${lines}\n}`);
