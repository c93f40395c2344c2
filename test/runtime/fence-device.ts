import type { FenceSettings } from "../../agent/config/mandates.ts";
import { seconds } from "../../agent/core/time.ts";

export const DEVICE: FenceSettings = {
  position: { file: "x", line: 1, column: 1 },
  name: "pdu",
  program: "/fence",
  action: "off",
  options: [{ name: "ip", value: "192.0.2.8" }],
  secretOptions: [],
  timeout: seconds(30),
};
