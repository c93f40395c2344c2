import type { ReadInterface } from "../../agent/ports/interfaces.ts";
import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import { atMost, textArgument } from "../call/arguments.ts";
import type { ActiveCall } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import { globMatches } from "../permission/glob.ts";
import { nameList } from "../permission/name-list.ts";

const LONGEST_NAME = 15;
const names = nameList({ permission: "interface", example: "eth0", longest: LONGEST_NAME });

/** `interface.get(name)`: how a network interface is now; an unknown one rejects with ENODEV. */
export function interfacePlugin(readInterface: ReadInterface): Plugin {
  const get = (args: readonly Json[], { permission }: ActiveCall): Promise<Json> => {
    atMost(args, 1);
    const name = textArgument(args[0], "name", 64);
    if (!names.granted(permission).some((pattern) => globMatches(pattern, name))) {
      throw names.refusal(name.length > LONGEST_NAME ? "NAME" : name);
    }
    const reading = readInterface(name);
    if (reading === undefined) throw new CallError("ENODEV", `there is no interface ${name}`);
    return Promise.resolve({ ...reading });
  };
  return {
    name: "interface",
    permission: "interface",
    methods: ["get"],
    checkPermission: names.checkPermission,
    missing: names.missing,
    open: () => openCalls({ get }),
  };
}
