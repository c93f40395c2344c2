/** What an operator looks at when the kernel refuses to send, by errno(3). */
const CAUSES: Readonly<Record<string, string>> = {
  EACCES: "the packet filter, or a security module, of this host refuses it: let protocol 112 out",
  EADDRNOTAVAIL: "its source address is not on this host any more",
  EMSGSIZE: "it is longer than the interface's MTU: list fewer addresses, or raise the MTU",
  ENETDOWN: "its interface is down",
  ENETUNREACH: "its interface is down, or has no route to there",
  ENOBUFS: "the queue of its interface is full",
  ENODEV: "its interface is gone",
  EPERM: "the packet filter of this host refuses it: let protocol 112 out",
};

export const sendErrorText = (errno: string): string => {
  const cause = CAUSES[errno];
  return `a packet was not sent: ${cause === undefined ? errno : `${cause} (${errno})`}`;
};
