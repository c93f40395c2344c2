import { BodyWriter, decodeAttributes, integerIn } from "./attribute.ts";
import type { NetlinkMessage } from "./message.ts";

/** Length of `genlmsghdr`: command, version, and two bytes of nothing. */
export const GENERIC_HEADER = 4;
/** The message type of the controller, which knows the types of all other families. */
export const CONTROLLER = 16;

const GET_FAMILY = 3;
const CONTROLLER_VERSION = 1;
const FAMILY = { id: 1, name: 2 } as const;

export const genericHeader = (command: number, version: number): BodyWriter =>
  new BodyWriter().u8(command).u8(version).u16(0);

/** Asks for a family by its name; the kernel tries to load a module for one that it lacks. */
export const getFamily = (name: string): Uint8Array =>
  genericHeader(GET_FAMILY, CONTROLLER_VERSION).attributeText(FAMILY.name, name).finish();

/** The message type of the family in the controller's answer. */
export const decodeFamily = ({ body }: NetlinkMessage): number | undefined =>
  integerIn(decodeAttributes(body, GENERIC_HEADER).get(FAMILY.id));
