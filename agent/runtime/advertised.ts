import type { IpAddress } from "../core/address.ts";
import type { Router } from "./router.ts";

/** The addresses that go into advertisements. */
export const advertised = (router: Pick<Router, "config">): readonly IpAddress[] =>
  router.config.addresses.map(({ address }) => address);
