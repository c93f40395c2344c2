import type { ServerResponse } from "node:http";
import type { Asked, StandIn, Told } from "./stand-in.ts";
import { standIn } from "./stand-in.ts";

interface Lease {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
}

/** Of names of objects: RFC 1123, as Kubernetes has it. */
const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS_SUBDOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`);

/**
 * What Kubernetes' API conventions say of an object and its resourceVersion, for Leases of one namespace:
 * GET, POST (also as a dry run), PUT and a watch. Its server cannot be had here.
 */
export async function kubernetesStandIn(token?: string): Promise<StandIn> {
  const folder = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
  const leases = new Map<string, Lease>();
  const watchers = new Set<ServerResponse>();
  let version = 100;
  const keep = (lease: Lease, status: number): Told => {
    const { name } = lease.metadata;
    const kept = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++version) } };
    leases.set(name, kept);
    for (const watcher of watchers) {
      watcher.write(`${JSON.stringify({ type: "MODIFIED", object: kept })}\n`);
    }
    return { status, json: kept };
  };
  const problem = (status: number): Told => ({ status, json: { kind: "Status", code: status } });

  const watch = ({ response }: Asked): undefined => {
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    watchers.add(response);
    response.on("close", () => watchers.delete(response));
  };
  const write = ({ method, body, query }: Asked, there: Lease | undefined): Told => {
    const lease = JSON.parse(body) as Lease;
    if (!DNS_SUBDOMAIN.test(lease.metadata.name)) return problem(422);
    const isNew = method === "POST" && !leases.has(lease.metadata.name);
    if (isNew && query.get("dryRun") === "All") return { status: 201, json: lease };
    if (method === "POST") return leases.has(lease.metadata.name) ? problem(409) : keep(lease, 201);
    if (there === undefined) return problem(404);
    const isNewest = lease.metadata.resourceVersion === there.metadata.resourceVersion;
    return isNewest ? keep(lease, 200) : problem(409);
  };

  return await standIn((asked) => {
    const { method, path, query, header } = asked;
    if (token !== undefined && header("authorization") !== `Bearer ${token}`) return problem(401);
    if (path !== folder && !path.startsWith(`${folder}/`)) return problem(404);
    if (query.has("watch")) return watch(asked);
    const there = leases.get(path.slice(folder.length + 1));
    if (method !== "GET") return write(asked, there);
    return there === undefined ? problem(404) : { status: 200, json: there };
  });
}
