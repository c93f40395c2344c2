import type { AnyNode, ObjectExpression, Program, Property } from "acorn";
import type { Json } from "../../sdk/index.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { nearest } from "../config/keepalived/suggest.ts";
import { isBuildFailure, messageProblem } from "./bundle.ts";
import { bundler } from "./bundler.ts";
import { nameOf, placeParts, readLiteral } from "./literal.ts";
import { formFault, PERMISSION_NAMES } from "./permission-forms.ts";
import { Places } from "./places.ts";
import { fileStart, hasErrors, problem, writtenName } from "./problem.ts";
import type { PositionOf } from "./stripped.ts";
import { parsed, positionsFrom } from "./stripped.ts";

/** What a policy says of itself without being run. */
export interface Manifest {
  /** By name, each in the SDK's form. */
  readonly permissions: Readonly<Record<string, Json>>;
  /** Names of its checks; `undefined`: they are not written out. */
  readonly checks?: readonly string[] | undefined;
  /** Where its parts stand, for findings. */
  readonly places: Places;
}

export type ManifestOutcome =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

const EXAMPLE = "write export default definePolicy({ … })";

/** Reads the permissions of a policy from its source. Nothing of it is run. */
export async function readManifest(source: string, file: string): Promise<ManifestOutcome> {
  const { transform } = await bundler();
  try {
    const { code, map } = await transform(source, {
      loader: "ts",
      target: "es2023",
      sourcefile: file,
      sourcemap: "external",
      charset: "utf8",
      logLevel: "silent",
    });
    return manifestOf(parsed(code), map, file);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const problems = error.errors.map((each) => messageProblem(each, "error", file, () => file));
    return { ok: false, problems };
  }
}

/** The same from the JavaScript that a policy's file became, with its source map. */
export const manifestOf = (program: Program, map: string, file: string): ManifestOutcome =>
  new ManifestReader(
    file,
    positionsFrom(map, () => file, fileStart(file)),
  ).read(program);

class ManifestReader {
  readonly #problems: Diagnostic[] = [];
  readonly #places: Places;
  readonly #file: string;
  readonly #positionOf: PositionOf;

  constructor(file: string, positionOf: PositionOf) {
    this.#file = file;
    this.#positionOf = positionOf;
    this.#places = new Places(fileStart(file));
  }

  read(program: Program): ManifestOutcome {
    const policy = this.#policyOf(program);
    const permissions = policy === undefined ? undefined : this.#permissionsOf(policy);
    if (policy === undefined || permissions === undefined || hasErrors(this.#problems)) {
      return { ok: false, problems: this.#problems };
    }
    const checks = checksOf(policy);
    return { ok: true, manifest: { permissions, checks, places: this.#places } };
  }

  /** The object that is exported by default, directly or through one const. */
  #policyOf(program: Program): ObjectExpression | undefined {
    const exported = defaultExport(program);
    if (exported === undefined) {
      this.#problems.push(
        problem("policy-shape", fileStart(this.#file), {
          message: "the file has no default export, which is what a policy is",
          hint: EXAMPLE,
        }),
      );
      return undefined;
    }
    const written = exported.type === "Identifier" ? constant(program, exported.name) : exported;
    const object =
      written?.type === "CallExpression" && written.callee.type === "Identifier"
        ? written.arguments[0]
        : written;
    if (object?.type === "ObjectExpression") return object;
    this.#refuse(exported, "the policy is not written out in its default export", EXAMPLE);
    return undefined;
  }

  #permissionsOf(policy: ObjectExpression): Readonly<Record<string, Json>> | undefined {
    placeParts(policy, [], this.#place);
    let found: Property | undefined;
    for (const property of policy.properties) {
      const name = nameOf(property);
      if (name === undefined || property.type !== "Property") {
        const hint = "write its members out: permissions could be among them";
        this.#refuse(property, "a part of the policy is computed", hint);
      } else if (name === "permissions") {
        if (found !== undefined) {
          this.#refuse(property, "permissions stands twice", "keep one of them");
        }
        found = property;
      }
    }
    if (found === undefined) return {};
    const value = readLiteral(found.value, ["permissions"], {
      refuse: this.#refuse,
      place: this.#place,
    });
    this.#place(["permissions"], found);
    return value === undefined ? undefined : this.#formed(value, found);
  }

  #formed(value: Json, property: Property): Readonly<Record<string, Json>> | undefined {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#refuse(property.value, "permissions must be an object", "write permissions: { … }");
      return undefined;
    }
    const permissions = new Map(Object.entries(value));
    for (const [name, asked] of permissions) {
      const fault = PERMISSION_NAMES.includes(name)
        ? formFault(name, asked)
        : {
            path: ["permissions", name],
            message: `there is no permission ${name}`,
            hint: known(name),
          };
      if (fault === undefined) continue;
      const { path, message, hint } = fault;
      this.#problems.push(
        problem("policy-permissions", this.#places.at(path), {
          message,
          hint,
          text: writtenName(path),
        }),
      );
    }
    return Object.fromEntries(permissions);
  }

  readonly #place = (path: readonly string[], node: AnyNode): void => {
    this.#places.set(path, this.#positionOf(node));
  };

  readonly #refuse = (node: AnyNode, message: string, hint: string): void => {
    this.#problems.push(problem("policy-permissions", this.#positionOf(node), { message, hint }));
  };
}

function checksOf(policy: ObjectExpression): readonly string[] | undefined {
  const property = policy.properties.find(
    (each) => each.type === "Property" && nameOf(each) === "checks",
  );
  if (property === undefined) return [];
  if (property.type !== "Property" || property.value.type !== "ObjectExpression") return undefined;
  const names = property.value.properties.map(nameOf);
  return names.every((name) => name !== undefined) ? names : undefined;
}

function known(name: string): string {
  const meant = nearest(name, PERMISSION_NAMES);
  return meant === undefined
    ? `the permissions are ${PERMISSION_NAMES.join(", ")}`
    : `did you mean ${meant.word}?`;
}

function defaultExport(program: Program): AnyNode | undefined {
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration") return statement.declaration;
    if (statement.type !== "ExportNamedDeclaration" || statement.source) continue;
    for (const { exported, local } of statement.specifiers) {
      if (exported.type === "Identifier" && exported.name === "default") return local;
    }
  }
  return undefined;
}

function constant(program: Program, name: string): AnyNode | undefined {
  for (const statement of program.body) {
    if (statement.type !== "VariableDeclaration" || statement.kind !== "const") continue;
    for (const { id, init } of statement.declarations) {
      if (id.type === "Identifier" && id.name === name) return init ?? undefined;
    }
  }
  return undefined;
}
