import type { Diagnostic } from "../config/diagnostic.ts";
import { fits } from "./grant-cover.ts";
import type { Manifest } from "./manifest.ts";
import { problem } from "./problem.ts";
import { isRecord } from "./shape-reader.ts";

/** A policy by its name. */
export interface Contestant {
  readonly name: string;
  readonly manifest: Manifest;
}

/** Services that two policies ask for: only the first of them in the alphabet would balance them. */
export function contestedServices(policies: readonly Contestant[]): readonly Diagnostic[] {
  const sorted = [...policies].sort((one, other) => (one.name < other.name ? -1 : 1));
  return sorted.flatMap(({ name, manifest }, at) =>
    servicesOf(manifest).flatMap((service, index) => {
      const holder = sorted.slice(0, at).find((first) => asksFor(first.manifest, service));
      if (holder === undefined) return [];
      const path = ["permissions", "control", "services", String(index)];
      const message = `${name} and ${holder.name} both ask for the weights of ${service}`;
      const hint = `take it out of one of them: ${holder.name} decides, as the first in the alphabet`;
      return [
        problem("policy-contest", manifest.places.at(path), { message, hint, text: service }),
      ];
    }),
  );
}

function servicesOf({ permissions }: Manifest): readonly string[] {
  const control = permissions["control"];
  const services = isRecord(control) ? control["services"] : undefined;
  return Array.isArray(services) ? services.filter((each) => typeof each === "string") : [];
}

const asksFor = (manifest: Manifest, service: string): boolean =>
  servicesOf(manifest).some((pattern) => fits(pattern, service) || fits(service, pattern));
