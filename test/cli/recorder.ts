import type { CliHost, Terminal } from "../../agent/cli/host.ts";
import type { RunOptions } from "../../agent/config/run-options.ts";

/** A terminal that keeps what was written. */
export class Recorder implements Terminal {
  written = "";
  complained = "";
  readonly color = false;
  readonly isTerminal: boolean;
  readonly columns = 80;

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal;
  }

  readonly out = (text: string): void => {
    this.written += text;
  };

  readonly err = (text: string): void => {
    this.complained += text;
  };
}

const notNow = (): never => {
  throw new TypeError("this test does not go there");
};

/** A host that takes note of what it is told to run. */
export class RecordingHost implements CliHost {
  readonly ran: RunOptions[] = [];
  readonly entered: string[] = [];
  readonly version = (): string => "1.2.3";
  loadConfig: CliHost["loadConfig"] = notNow;
  loadSettings: CliHost["loadSettings"] = () => Promise.resolve(undefined);
  permissionRules: CliHost["permissionRules"] = () => Promise.resolve([]);
  evaluatePolicies: CliHost["evaluatePolicies"] = () => Promise.resolve([]);
  runPolicyTests: CliHost["runPolicyTests"] = notNow;
  simulatePolicy: CliHost["simulatePolicy"] = notNow;
  runPolicy: CliHost["runPolicy"] = notNow;
  replay: CliHost["replay"] = notNow;
  collectFacts: CliHost["collectFacts"] = notNow;
  digestPage: CliHost["digestPage"] = notNow;
  readKernelSettings: CliHost["readKernelSettings"] = () => Promise.resolve(undefined);
  withdraw: CliHost["withdraw"] = notNow;
  namespaceHolder: CliHost["namespaceHolder"] = () => Promise.resolve(undefined);
  ended: CliHost["ended"] = notNow;
  namespaceLeftBy: CliHost["namespaceLeftBy"] = () => Promise.resolve(undefined);
  readonly openLab = notNow;
  readonly labCommand = notNow;

  runAgent(options: RunOptions): Promise<number> {
    this.ran.push(options);
    return Promise.resolve(0);
  }

  enterNamespace(name: string): Promise<void> {
    this.entered.push(name);
    return Promise.resolve();
  }
}
