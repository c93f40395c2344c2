import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PolicyGrant } from "../../agent/config/settings.ts";
import { noSettings } from "../../agent/config/settings.ts";
import { grantBlock } from "../../agent/policy/grant-lines.ts";
import { compareGrants } from "../../agent/policy/grants.ts";
import type { PermissionRule } from "../../agent/policy/permission-rule.ts";
import { Places } from "../../agent/policy/places.ts";
import type { Json } from "../../sdk/index.ts";

type PermissionSet = Readonly<Record<string, Json>>;

const start = { file: "/p/nginx.ts", line: 1, column: 1 };
const settings = (...grants: readonly (readonly [string, PolicyGrant["grant"]])[]) => ({
  ...noSettings("/etc/holdfast/holdfast.conf"),
  grants: grants.map(([policy, grant]) => ({ position: start, policy, grant })),
});

function compare(
  asked: PermissionSet,
  granted: PolicyGrant["grant"],
  rules: PermissionRule[] = [],
) {
  const places = new Places(start);
  places.set(["permissions", "http", "1"], { file: "/p/nginx.ts", line: 3, column: 9 });
  const manifest = { permissions: asked, places };
  return compareGrants("nginx", manifest, settings(["nginx", granted]), rules);
}

const lines = (asked: PermissionSet, granted: PolicyGrant["grant"]): readonly string[] =>
  compare(asked, granted).missing.map(({ line }) => line);

const ALL: PermissionSet = {
  http: ["http://127.0.0.1:8080/*"],
  exec: { reload: ["/usr/sbin/nginx", "-s", "reload now"] },
  read: ["/proc/loadavg"],
  mail: { to: ["a@example.org", "b@example.org"] },
  webhook: { chat: { preset: "slack", url: "u" } },
  control: { routers: ["VI_1"], realServers: ["web/10.0.0.1:80"], services: ["w*"] },
  plugins: { fence: { port: 3 } },
};

describe("what is asked for and not granted", () => {
  test("is said as the lines that grant it", () => {
    assert.deepEqual(lines(ALL, {}), [
      "http http://127.0.0.1:8080/*",
      'exec reload /usr/sbin/nginx -s "reload now"',
      "read /proc/loadavg",
      "mail a@example.org",
      "mail b@example.org",
      "webhook chat",
      "control VI_1",
      "real_server web/10.0.0.1:80",
      "service w*",
      "plugin fence",
    ]);
  });

  test("is nothing when the same is granted, and that is what holds", () => {
    const { missing, effective, problems } = compare(ALL, ALL as PolicyGrant["grant"]);
    assert.deepEqual([missing, problems], [[], []]);
    assert.deepEqual(effective, ALL);
  });

  test("is taken out of what holds, part by part", () => {
    const { effective } = compare(ALL, {
      mail: { to: ["*@example.org"] },
      control: { routers: ["VI_1"] },
      webhook: ["chat"],
      plugins: { fence: true },
    });
    assert.deepEqual(effective, {
      plugins: ALL["plugins"],
      mail: ALL["mail"],
      webhook: ALL["webhook"],
      control: { routers: ["VI_1"] },
    });
  });

  test("has its place and names the line and the file", () => {
    const { problems } = compare({ http: ["a", "b"] }, { http: ["a"] });
    const [problem, more] = problems;
    assert.equal(more, undefined);
    assert.deepEqual(problem?.position, { file: "/p/nginx.ts", line: 3, column: 9 });
    assert.equal(problem?.message, "http b is not granted");
    assert.match(problem?.hint ?? "", /holdfast\.conf: policy nginx \{ grant \{ http b \} \}/);
  });

  const cases: readonly (readonly [string, PermissionSet, PolicyGrant["grant"], number])[] = [
    ["a command with one word more", { exec: { a: ["/x", "1"] } }, { exec: { a: ["/x"] } }, 1],
    [
      "a command in another order",
      { exec: { a: ["/x", "1", "2"] } },
      { exec: { a: ["/x", "2", "1"] } },
      1,
    ],
    ["a star in a command", { exec: { a: ["/x", "1"] } }, { exec: { a: ["/x", "*"] } }, 1],
    ["a command of another name", { exec: { b: ["/x"] } }, { exec: { a: ["/x"] } }, 1],
    ["a wider pattern", { read: ["/run/nginx.pid"] }, { read: ["/run/*.pid"] }, 0],
    ["a narrower pattern", { read: ["/run/*.pid"] }, { read: ["/run/nginx.pid"] }, 1],
    ["a pattern's rest", { read: ["/run/a"] }, { read: ["/run/*/b", "*x"] }, 1],
    ["overlapping ends", { read: ["ab"] }, { read: ["ab*b"] }, 1],
    ["a webhook by its name alone", { webhook: { a: "u" } }, { webhook: { a: null } }, 0],
    ["a webhook with its URL", { webhook: { a: "u" } }, { webhook: { a: "u" } }, 0],
    ["a webhook with another URL", { webhook: { a: "u" } }, { webhook: { a: "v" } }, 1],
    ["a name of Object.prototype", { webhook: { constructor: "u" } }, { webhook: {} }, 1],
    ["another router", { control: { routers: ["VI_1"] } }, { control: { routers: ["VI_2"] } }, 1],
    ["an empty list", { http: [] }, {}, 0],
  ];
  for (const [name, asked, granted, count] of cases) {
    test(`${name}: ${count === 0 ? "covered" : "missing"}`, () => {
      assert.equal(lines(asked, granted).length, count);
    });
  }
});

test("grants of the policy's name and of * add up; those of others do not count", () => {
  const manifest = { permissions: { http: ["a", "b", "c"] }, places: new Places(start) };
  const all = settings(
    ["nginx", { http: ["a"] }],
    ["*", { http: ["b"] }],
    ["other", { http: ["c"] }],
  );
  const { effective, missing } = compareGrants("nginx", manifest, all, []);
  assert.deepEqual(effective, { http: ["a", "b"] });
  assert.deepEqual(
    missing.map(({ line }) => line),
    ["http c"],
  );
});

describe("a plugin", () => {
  const rule: PermissionRule = {
    permission: "http",
    checkPermission: (value) =>
      JSON.stringify(value).includes("bad") ? "bad is no URL" : undefined,
    missing: (asked, granted) => (JSON.stringify(granted).includes("any") ? [] : [String(asked)]),
  };

  test("says what covers what", () => {
    assert.deepEqual(compare({ http: ["x"] }, { http: ["any"] }, [rule]).missing, []);
    assert.equal(compare({ http: ["x"] }, { http: ["x"] }, [rule]).missing.length, 1);
  });

  test("says what means nothing, and that is not granted", () => {
    const { problems, effective } = compare({ http: ["bad"] }, { http: ["bad", "any"] }, [rule]);
    assert.deepEqual(
      problems.map(({ code, message }) => [code, message]),
      [["policy-permissions", "bad is no URL"]],
    );
    assert.deepEqual(effective, {});
  });
});

test("the block to add is as people write one", () => {
  assert.equal(
    grantBlock("nginx", ["http a", "control VI_1"]),
    "policy nginx {\n    grant {\n        http a\n        control VI_1\n    }\n}\n",
  );
});
