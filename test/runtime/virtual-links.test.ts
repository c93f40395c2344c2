import assert from "node:assert/strict";
import { test } from "node:test";
import type { VirtualLink } from "../../agent/config/config.ts";
import type { Link } from "../../agent/ports/network.ts";
import type { LinkWish } from "../../agent/runtime/virtual-links.ts";
import { VirtualLinks } from "../../agent/runtime/virtual-links.ts";
import { FakeNetwork } from "./fake-network.ts";
import { settle } from "./virtual-time.ts";

/** A host on which making a link takes as long as the test wants. */
class SlowNetwork extends FakeNetwork {
  readonly macs: (string | undefined)[] = [];
  readonly removed: number[] = [];
  readonly #go: (() => void)[] = [];

  go(): void {
    for (const resume of this.#go.splice(0)) resume();
  }

  override async createVirtualLink(
    ...wanted: Parameters<FakeNetwork["createVirtualLink"]>
  ): Promise<Link> {
    await new Promise<void>((resolve) => this.#go.push(resolve));
    this.macs.push(wanted[3]);
    return super.createVirtualLink(...wanted);
  }

  override removeVirtualLink(index: number) {
    this.removed.push(index);
    return super.removeVirtualLink(index);
  }
}

function world() {
  const network = new SlowNetwork();
  const made: Link[] = [];
  const links = new VirtualLinks(network, {
    made: (link) => made.push(link),
    refused: () => undefined,
  });
  const spec = { kind: "macvlan", name: "vrrp.51" } as VirtualLink;
  const wish = (mac: string): LinkWish => ({ spec, parentIndex: 2, family: "ipv4", mac });
  return { network, links, made, wish };
}

test("a link that somebody wants again while its last owner goes is not removed", async () => {
  const { network, links, wish } = world();
  links.want("old", wish("00:00:5e:00:01:33"));
  const released = links.release("old");
  links.want("new", wish("00:00:5e:00:01:33"));
  network.go();
  await released;
  await settle();
  assert.deepEqual(network.removed, []);
  assert.ok(network.linkByName("vrrp.51"));
});

test("what is wanted otherwise while it is being made is made anew", async () => {
  const { network, links, made, wish } = world();
  links.want("r", wish("00:00:5e:00:01:33"));
  links.want("r", wish("00:00:5e:00:01:34"));
  network.go();
  await settle();
  network.go();
  await links.settled();
  assert.deepEqual(network.macs, ["00:00:5e:00:01:33", "00:00:5e:00:01:34"]);
  assert.equal(made.length, 1);
});
