import { claimNamespace } from "../../agent/linux/sole-holder.ts";

/* Claims the name that it is given, says so, and stays. */

await claimNamespace(0, process.argv[2]);
process.on("message", () => undefined);
process.send?.("claimed");
