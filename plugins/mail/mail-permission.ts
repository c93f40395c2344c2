import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { openCalls } from "../call/calls.ts";

const MOST = 64;
/** What mail servers agree on; a comma, a space, a quote or a line break would mean something else. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f.:]+\])$/;
/** In a grant: every address of one domain. */
const DOMAIN = /^\*@[A-Za-z0-9.-]{1,253}$/;

const LOCAL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/;

/**
 * Whether mail can be sent to it, a user of the mail server's own host (`root`) included: nothing in
 * it can be taken for a second address or a header.
 */
export const isRecipient = (text: string): boolean => ADDRESS.test(text) || LOCAL.test(text);

/**
 * The permission `mail: { to: ["ops@example.org"] }`; a grant may say `*@example.org`. Nothing is
 * called here: what policies send are notices, and the outbox delivers them.
 */
export const mailPermission: Plugin = {
  name: "mail",
  permission: "mail",
  methods: [],
  checkPermission(permission) {
    const to = recipients(permission);
    if (to === undefined) return 'mail is { to: [addresses] }, such as { to: ["ops@example.org"] }';
    if (to.length > MOST) return `mail has more than ${MOST} addresses`;
    const odd = to.find((text) => typeof text !== "string" || !isPattern(text));
    return odd === undefined ? undefined : `mail: ${JSON.stringify(odd)} is no mail address`;
  },
  missing(asked, granted) {
    const given = texts(recipients(granted) ?? []);
    return texts(recipients(asked) ?? [])
      .filter((address) => !given.some((pattern) => covers(pattern, address)))
      .map((address) => `mail ${address}`);
  },
  open: () => openCalls({}),
};

function recipients(permission: Json): readonly Json[] | undefined {
  if (typeof permission !== "object" || permission === null || Array.isArray(permission)) {
    return undefined;
  }
  const { to, ...more } = permission as { readonly [key: string]: Json };
  return Array.isArray(to) && Object.keys(more).length === 0 ? to : undefined;
}

const texts = (values: readonly Json[]): readonly string[] =>
  values.filter((value) => typeof value === "string");

const isPattern = (text: string): boolean => DOMAIN.test(text) || ADDRESS.test(text);

/** Domains are compared without regard to case; what stands before the @ is the server's affair. */
function covers(pattern: string, address: string): boolean {
  const [wide, narrow] = [split(pattern), split(address)];
  if (wide.domain !== narrow.domain) return false;
  return DOMAIN.test(pattern) || wide.local === narrow.local;
}

function split(address: string): { readonly local: string; readonly domain: string } {
  const at = address.lastIndexOf("@");
  return { local: address.slice(0, at), domain: address.slice(at + 1).toLowerCase() };
}
