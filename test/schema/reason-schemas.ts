import { z } from "zod";

// Closed lists of tokens, as the program has them.

export const reason = z.enum([
  "startup",
  "owner-startup",
  "active-down-timer",
  "active-resigned",
  "preemption",
  "higher-priority",
  "equal-priority-higher-address",
  "timer-expired",
  "fault",
  "fault-cleared",
  "sync-group",
  "mandate-lost",
  "reconfigured",
  "shutdown",
]);

export const dropReason = z.enum([
  "truncated",
  "ip-header",
  "ttl",
  "version",
  "type",
  "length",
  "checksum",
  "unknown-vrid",
  "no-addresses",
  "interval-zero",
  "auth-type",
  "auth-data",
  "auth-stale",
  "auth-replay",
  "interval-mismatch",
  "destination",
  "source-not-a-peer",
  "own-packet",
  "first-address-not-link-local",
  "address-list",
  "owner-ignores",
]);

export const alarm = z.enum([
  "rival-heard",
  "owner-conflict",
  "own-address-heard",
  "interval-mismatch",
  "address-list-mismatch",
  "checksum-mix",
  "first-address-not-link-local",
  "vrid-clash",
  "version-mismatch",
  "authentication-mismatch",
  "gate-restored",
  "address-claimed-elsewhere",
]);
