/** What one run of the agent was told on its command line. Plain JSON: it travels to the children. */
export interface RunOptions {
  /** Absolute path of keepalived.conf. */
  readonly configFile: string;
  /** Absolute path of the policies folder, which need not be there; `undefined`: no policies. */
  readonly policiesDirectory: string | undefined;
  /** Absolute path of holdfast.conf; it need not be there. */
  readonly settingsFile: string;
  /** Holds what must outlive a run: the last accepted configuration. */
  readonly stateDirectory: string;
  /** Path of the unix socket of the control protocol. */
  readonly controlSocket: string;
  readonly logFormat: "pretty" | "json";
  /** keepalived's -D: say more. */
  readonly logDetail: boolean;
  /** keepalived's -S: facility number 0–23 for messages to syslog; `undefined`: none go there. */
  readonly syslogFacility: number | undefined;
  /** keepalived's -P: no virtual servers. Scripts and notifications of routers need the director too. */
  readonly vrrpOnly: boolean;
  /** keepalived's -C: run no vrrp process, and nothing of what routers track. */
  readonly directorOnly: boolean;
  /** keepalived's -I: virtual servers stay in the kernel at a stop. */
  readonly leaveServices: boolean;
  /** keepalived's -R, inverted: start a process again that died. */
  readonly respawn: boolean;
  /** keepalived's -p, -r and -c. */
  readonly pidFiles: Readonly<Record<"supervisor" | "vrrp" | "director", string | undefined>>;
  /** keepalived's -i; `undefined`: the first label of the host name. */
  readonly configId: string | undefined;
  /** keepalived's -e: a missing include file is an error. */
  readonly includesMustExist: boolean;
  /** keepalived's -a: log every address that comes or goes. */
  readonly reportAddresses: boolean;
  /** keepalived's -u; `undefined`: the configuration's, or as it is. */
  readonly umask: number | undefined;
}
