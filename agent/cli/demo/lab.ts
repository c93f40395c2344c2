import type { ChildProcess, SpawnOptions } from "node:child_process";

/** What the demo needs of a small network on this machine. Names and meaning as in the lab. */
export interface DemoLab {
  node(name: string): DemoNode;
  segment(name: string): DemoSegment;
  attach(
    node: DemoNode,
    segment: DemoSegment,
    attachment: { readonly name: string; readonly addresses?: readonly string[] },
  ): DemoCable;
  /** Kills what runs in the nodes and takes the network down. Safe to call twice. */
  dispose(): void;
}

export interface DemoNode {
  readonly name: string;
  /** Runs synchronous `work` inside: sockets that it opens stay there. */
  run<Result>(work: () => Result): Result;
  /** Starts a program inside; it dies with the lab. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  sysctl(path: string, value: string): boolean;
}

export interface DemoSegment {
  readonly name: string;
}

export interface DemoCable {
  /** Pulls the cable, or plugs it in again: the node sees its carrier go. */
  setPlugged(plugged: boolean): void;
}
