import type { Json, Permissions } from "../../sdk/index.ts";

/** What is wrong with a permission's form, and in which part of it. */
export interface FormFault {
  readonly path: readonly string[];
  readonly message: string;
  readonly hint: string;
}

type Form = (value: Json, path: readonly string[]) => FormFault | undefined;

const MOST_PARTS = 64;
/** What a line of holdfast.conf can hold, so that it can be granted. */
const PLAIN_TEXT = /^[^"\\\p{Cc}]{1,1024}$/u;

const wrong = (path: readonly string[], what: string, hint: string): FormFault => ({
  path,
  message: `${path.join(".")} must be ${what}`,
  hint,
});

const isRecord = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text =
  (example: string): Form =>
  (value, path) =>
    typeof value === "string" && PLAIN_TEXT.test(value)
      ? undefined
      : wrong(path, "a text without quotes, backslashes and line ends", `such as "${example}"`);

const texts =
  (example: string): Form =>
  (value, path) => {
    if (!Array.isArray(value)) return wrong(path, "a list of texts", `such as ["${example}"]`);
    if (value.length > MOST_PARTS) {
      return wrong(path, `a list of at most ${MOST_PARTS}`, "use a pattern for several");
    }
    return firstFault(value.entries(), path, text(example));
  };

/** By a name of the author's own. */
const named =
  (each: Form, example: string): Form =>
  (value, path) => {
    if (!isRecord(value)) return wrong(path, "an object of names", `such as { ${example} }`);
    const entries = Object.entries(value);
    if (entries.length > MOST_PARTS)
      return wrong(path, `at most ${MOST_PARTS} names`, "ask for less");
    const odd = entries.find(([name]) => !/^[A-Za-z0-9][\w.-]{0,63}$/.test(name));
    if (odd !== undefined) {
      return {
        path: [...path, odd[0]],
        message: `${odd[0]} is no name for a part of ${path.join(".")}`,
        hint: "use letters, digits, and - _ . after the first, at most 64",
      };
    }
    return firstFault(entries, path, each);
  };

/** An object with these members, none of which must be there. */
const members =
  (forms: Readonly<Record<string, Form>>): Form =>
  (value, path) => {
    const names = Object.keys(forms).join(", ");
    if (!isRecord(value)) return wrong(path, "an object", `its members are ${names}`);
    for (const [name, part] of Object.entries(value)) {
      const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
      if (form === undefined) {
        return {
          path: [...path, name],
          message: `${path.join(".")} has no ${name}`,
          hint: `its members are ${names}`,
        };
      }
      const fault = form(part, [...path, name]);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };

const command: Form = (value, path) => {
  const fault = texts("/usr/sbin/nginx")(value, path);
  if (fault !== undefined) return fault;
  const program = Array.isArray(value) ? value[0] : undefined;
  return typeof program === "string" && program.startsWith("/")
    ? undefined
    : wrong(path, "a program by its absolute path, and its arguments", '["/usr/sbin/nginx", "-t"]');
};

const target: Form = (value, path) => {
  if (typeof value === "string") return text("https://example.org/hook")(value, path);
  const fault = members({ preset: text("slack"), url: text("https://…") })(value, path);
  if (fault !== undefined) return fault;
  const complete = isRecord(value) && value["url"] !== undefined && value["preset"] !== undefined;
  return complete
    ? undefined
    : wrong(path, "a URL, or a preset and a URL", '{ preset: "slack", url }');
};

const anything: Form = () => undefined;

function firstFault(
  entries: Iterable<readonly [number | string, Json]>,
  path: readonly string[],
  form: Form,
): FormFault | undefined {
  for (const [key, value] of entries) {
    const fault = form(value, [...path, String(key)]);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The form of each permission of the SDK; its plugin knows more. */
const FORMS: Readonly<Record<keyof Permissions, Form>> = {
  http: texts("http://127.0.0.1:8080/*"),
  tcp: texts("127.0.0.1:5432"),
  udp: texts("127.0.0.1:53"),
  dns: texts("*.example.org"),
  icmp: texts("10.0.0.1"),
  tls: texts("www.example.org:443"),
  exec: named(command, 'reload: ["/usr/sbin/nginx", "-s", "reload"]'),
  read: texts("/proc/loadavg"),
  process: texts("nginx"),
  interface: texts("eth0"),
  gateway: texts("10.0.0.1"),
  mail: members({ to: texts("ops@example.org") }),
  webhook: named(target, 'slack: "${' + 'secret:slack}"'),
  control: members({
    routers: texts("VI_1"),
    realServers: texts("web/10.0.1.1:80"),
    services: texts("[192.0.2.1]:tcp:80"),
  }),
  plugins: named(anything, "name: …"),
};

export const PERMISSION_NAMES: readonly string[] = Object.keys(FORMS);

/** What is wrong with one permission; its name must be known. */
export function formFault(name: string, value: Json): FormFault | undefined {
  const form = new Map<string, Form>(Object.entries(FORMS)).get(name);
  return form?.(value, ["permissions", name]);
}
