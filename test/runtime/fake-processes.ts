import type { ChildListener, StartProcess } from "../../agent/ports/processes.ts";
import type { Role } from "../../agent/runtime/ipc.ts";

/** A child that a test plays. */
export interface FakeChild {
  readonly role: Role;
  readonly pid: number;
  readonly received: Record<string, unknown>[];
  readonly killed: string[];
  say(message: unknown): void;
  end(clean: boolean, cause?: string): void;
}

/** What a fake child does by itself when it is told something. */
export type Behaviour = (child: FakeChild, message: Record<string, unknown>) => void;

/** Starts children in memory. */
export class FakeProcesses {
  readonly children: FakeChild[] = [];
  readonly behaviours: Partial<Record<Role, Behaviour | undefined>> = {};

  readonly start: StartProcess<Role> = (role: Role, listener: ChildListener) => {
    let ended = false;
    const child: FakeChild = {
      role,
      pid: 1_000 + this.children.length,
      received: [],
      killed: [],
      say: (message) => {
        if (!ended) listener.message(JSON.parse(JSON.stringify(message)));
      },
      end: (clean, cause = clean ? "status 0" : "signal SIGKILL") => {
        if (ended) return;
        ended = true;
        listener.ended(clean, cause);
      },
    };
    this.children.push(child);
    return {
      pid: child.pid,
      send: (message) => {
        if (ended) return;
        const plain = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
        child.received.push(plain);
        setImmediate(() => this.behaviours[role]?.(child, plain));
      },
      kill: (signal) => {
        child.killed.push(signal);
        setImmediate(() => child.end(false, `signal ${signal}`));
      },
    };
  };

  of(role: Role): readonly FakeChild[] {
    return this.children.filter((child) => child.role === role);
  }

  last(role: Role): FakeChild {
    const child = this.of(role).at(-1);
    if (child === undefined) throw new TypeError(`no ${role} process was started`);
    return child;
  }
}
