import type { ParentChannel } from "../ports/processes.ts";
import type { DirectorSettings, FromChild, ToDirector } from "./ipc.ts";
import { IPC_VERSION } from "./ipc.ts";

/** What the director needs, besides a way to its supervisor. */
export interface DirectorPorts {
  /** Applies name and priorities. Answers in words what the kernel refused. */
  readonly prepare: (settings: DirectorSettings) => readonly string[];
  readonly exit: (status: number) => void;
}

/** The director: checks, policies and notifications will live here. It answers its heartbeat. */
export class DirectorProcess {
  readonly #channel: ParentChannel;
  readonly #ports: DirectorPorts;

  constructor(channel: ParentChannel, ports: DirectorPorts) {
    this.#channel = channel;
    this.#ports = ports;
    channel.listen(
      (message) => this.#hear(message as ToDirector),
      () => this.stop(),
    );
    this.#send({ kind: "ready", version: IPC_VERSION });
  }

  stop(): void {
    this.#send({ kind: "stopped" });
    this.#ports.exit(0);
  }

  #hear(message: ToDirector): void {
    if (message.kind === "ping") this.#send({ kind: "pong", id: message.id });
    else if (message.kind === "stop") this.stop();
    else if (message.kind === "configure") {
      for (const refused of this.#ports.prepare(message.settings)) {
        this.#send({ kind: "log", level: "warn", message: refused });
      }
    }
  }

  #send(message: FromChild): void {
    this.#channel.send(message);
  }
}
