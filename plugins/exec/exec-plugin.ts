import { constants } from "node:os";
import type { ProgramOutcome, ProgramRequest, RunProgram } from "../../agent/ports/programs.ts";
import type { Json } from "../../sdk/index.ts";
import type { Plugin, PluginHost } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import {
  atMost,
  isObject,
  optionsArgument,
  readDuration,
  textArgument,
} from "../call/arguments.ts";
import type { ActiveCall } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import { commandOf, commandPermission } from "./command-permission.ts";

type Identity = ProgramRequest["runAs"];

export interface ExecPorts {
  readonly runProgram: RunProgram;
  /** Numbers of a user of this host, with its groups; `undefined`: there is none. */
  readonly user: (name: string) => Identity;
  /** Whether this process may become another user. */
  readonly privileged: boolean;
}

/** The user that keepalived runs scripts as, where there is one; else the one with no rights. */
const USUAL_USERS = ["keepalived_script", "nobody"];
const OPTIONS = { timeout: readDuration };

/**
 * `exec.run(name, options)`: runs one of the commands of the permission. Options in holdfast.conf:
 * `user NAME` for all commands, `POLICY/COMMAND NAME` for one of them. Without them, commands run as
 * `keepalived_script`, else as `nobody`; an agent without privileges runs them as itself.
 */
export function execPlugin(ports: ExecPorts): Plugin {
  return {
    name: "exec",
    permission: "exec",
    methods: ["run"],
    ...commandPermission,
    open: (host) => {
      const users = new CommandUsers(ports, host);
      return openCalls({ run: (args, call) => run(ports, users, args, call) });
    },
  };
}

async function run(
  { runProgram }: ExecPorts,
  users: CommandUsers,
  args: readonly Json[],
  call: ActiveCall,
): Promise<Json> {
  atMost(args, 2);
  const name = textArgument(args[0], "name", 64);
  const { timeout } = optionsArgument(args[1], OPTIONS);
  call.within(timeout);
  const argv = commandOf(call.permission, name);
  if (argv === undefined) {
    const message = `there is no command ${JSON.stringify(name)} in permissions.exec and its grant`;
    throw new CallError("permission", message);
  }
  call.doing = `running ${name}`;
  const runAs = users.of(call.policy, name);
  const aborted = new AbortController();
  call.onEnd(() => aborted.abort());
  const { timeoutMs } = call;
  return answerOf(await runProgram({ argv, runAs, timeoutMs }, aborted.signal), name);
}

function answerOf(outcome: ProgramOutcome, name: string): Json {
  const { stdout } = outcome;
  const ms = Math.round(outcome.ms * 1_000) / 1_000;
  switch (outcome.kind) {
    case "exited":
      return { code: outcome.status, stdout, ms };
    case "signalled":
      return { code: 128 + signalNumber(outcome.signal), stdout, ms };
    case "not-started":
      throw new CallError(outcome.errno, `${name} could not be started (${outcome.errno})`);
    case "timed-out":
      throw new CallError("timeout", `${name} took too long and was stopped`);
    case "aborted":
      throw new CallError("aborted", `${name} was given up and stopped`);
  }
}

const signalNumber = (signal: string): number =>
  new Map<string, number>(Object.entries(constants.signals)).get(signal) ?? 0;

/** As whom commands run, by the options of holdfast.conf. */
class CommandUsers {
  readonly #ports: ExecPorts;
  readonly #options: ReadonlyMap<string, Json>;

  constructor(ports: ExecPorts, { options, log }: PluginHost) {
    this.#ports = ports;
    this.#options = new Map(isObject(options) ? Object.entries(options) : []);
    for (const [option, value] of this.#options) {
      if (option !== "user" && !option.includes("/")) {
        log("warn", `there is no option "${option}"; write user NAME, or POLICY/COMMAND NAME`);
      } else if (typeof value !== "string") {
        log("warn", `${option}: write the name of one user`);
      }
    }
  }

  /** Throws a CallError when it is not to be had: a command never runs as somebody else instead. */
  of(policy: string, command: string): Identity {
    const wanted = this.#options.get(`${policy}/${command}`) ?? this.#options.get("user");
    if (wanted === undefined) return this.#usual();
    const identity = typeof wanted === "string" ? this.#ports.user(wanted) : undefined;
    if (identity !== undefined) return identity;
    throw new CallError("user", `the user that ${command} is to run as does not exist here`);
  }

  #usual(): Identity {
    if (!this.#ports.privileged) return undefined;
    for (const name of USUAL_USERS) {
      const identity = this.#ports.user(name);
      if (identity !== undefined) return identity;
    }
    const message = `none of the users ${USUAL_USERS.join(", ")} exists; name one: exec { user NAME }`;
    throw new CallError("user", message);
  }
}
