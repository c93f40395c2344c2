import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { getuid } from "node:process";
import { test } from "node:test";
import { createAdvertisementSockets } from "../../agent/linux/advertisement-sockets.ts";
import { getOption, SO_PROTOCOL, SO_RCVBUF } from "../../agent/linux/socket-option.ts";

const skip = getuid?.() === 0 ? false : "needs root";
const LOOPBACK = 1;
const VRRP = 112;

/** SO_RCVBUF of the one socket that receives: the kernel shows twice what was set. */
const receiveBuffer = (): number | undefined => {
  const sizes = readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => getOption(fd, SO_PROTOCOL) === VRRP)
    .map((fd) => getOption(fd, SO_RCVBUF) ?? 0);
  assert.equal(sizes.length, 1);
  return (sizes[0] ?? 0) / 2;
};

test("a socket gets the room that is asked for, enough for a burst, or the default again", {
  skip,
}, () => {
  const endpoint = createAdvertisementSockets().open(
    { family: "ipv4", protocol: VRRP, interfaceIndex: LOOPBACK, group: undefined, ttl: 255 },
    () => undefined,
    assert.fail,
  );
  try {
    const usual = receiveBuffer();
    // Beyond net.core.rmem_max, too.
    for (const [wanted, had] of [
      [3_000_000, 3_000_000],
      [600, 8_192],
      [undefined, usual],
    ]) {
      endpoint.setReceiveBuffer(wanted);
      assert.equal(receiveBuffer(), had);
    }
  } finally {
    endpoint.close();
  }
});
