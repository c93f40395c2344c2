import type { ParentChannel } from "../ports/processes.ts";
import type { FromChild, ToChild } from "./ipc.ts";
import { IPC_VERSION } from "./ipc.ts";

/** The director: checks, policies and notifications will live here. It answers its heartbeat. */
export class DirectorProcess {
  readonly #channel: ParentChannel;
  readonly #exit: (status: number) => void;

  constructor(channel: ParentChannel, exit: (status: number) => void) {
    this.#channel = channel;
    this.#exit = exit;
    channel.listen(
      (message) => this.#hear(message as ToChild),
      () => this.stop(),
    );
    this.#send({ kind: "ready", version: IPC_VERSION });
  }

  stop(): void {
    this.#send({ kind: "stopped" });
    this.#exit(0);
  }

  #hear(message: ToChild): void {
    if (message.kind === "ping") this.#send({ kind: "pong", id: message.id });
    else if (message.kind === "stop") this.stop();
  }

  #send(message: FromChild): void {
    this.#channel.send(message);
  }
}
