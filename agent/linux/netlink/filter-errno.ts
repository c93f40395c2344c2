/**
 * What the kernel means by an errno about nftables. `passing`: it could not just now, and whoever asks again may
 * be heard; `forbidden`: not by us; `lacking`: this kernel has not what is asked for.
 */
export type FilterErrnoMeaning = "passing" | "forbidden" | "lacking";

const MEANINGS: Readonly<Record<string, FilterErrnoMeaning>> = {
  /** No memory for the request, or for the answer: then it may have been carried out. */
  ENOBUFS: "passing",
  ENOMEM: "passing",
  /** A transaction that a signal came into is taken back. */
  EINTR: "passing",
  /** A module is being loaded, or the socket's buffer is full. */
  EAGAIN: "passing",
  /** Something of ours is in use by a transaction of somebody else. */
  EBUSY: "passing",
  ETIMEDOUT: "passing",
  /** It could not be sent; another thread does that, whose errno nobody gets. */
  EIO: "passing",
  /** We are being closed. */
  ECANCELED: "passing",
  /** Also a table of ours that another program owns. */
  EPERM: "forbidden",
  EACCES: "forbidden",
};

/** What is not listed (ENOENT, EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT, EINVAL…) will be said again. */
export const meaningOf = (errno: string): FilterErrnoMeaning => MEANINGS[errno] ?? "lacking";

export const isPassing = (errno: string | undefined): boolean =>
  errno !== undefined && meaningOf(errno) === "passing";
