import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { namePermission } from "../../plugins/dns/name-permission.ts";
import { endpointPermission, parseEndpoint } from "../../plugins/permission/endpoint-pattern.ts";
import { globMatches } from "../../plugins/permission/glob.ts";
import {
  hostCovers,
  hostMatches,
  parseHost,
  parseHostPattern,
} from "../../plugins/permission/host-pattern.ts";
import { patternList } from "../../plugins/permission/pattern-list.ts";
import { checkUrl, urlLanguage, urlMatches } from "../../plugins/permission/url-pattern.ts";

/** Whether a URL may be asked for under a pattern; a reason where it is none. */
function allows(pattern: string, url: string): boolean | string {
  const read = urlLanguage.read(pattern);
  assert.ok(read.ok, `${pattern} ${read.ok ? "" : read.problem}`);
  const checked = checkUrl(url);
  return typeof checked === "string" ? checked : urlMatches(read.pattern, checked);
}

describe("URL patterns", () => {
  const local = "http://127.0.0.1:8080/*";
  for (const [pattern, url] of [
    [local, "http://127.0.0.1:8080/"],
    [local, "http://127.0.0.1:8080"],
    [local, "HTTP://127.1:8080/a/b?c=http://x/"],
    [local, "http://2130706433:8080/#part"],
    ["https://*.example.org/health", "https://a.b.EXAMPLE.org:443/health"],
    ["http://[2001:db8::1]:80/*", "http://[2001:db8:0::1]/x"],
    ["*://web.example.org:*/a*z", "https://web.example.org:8443/a/b/z"],
    ["http://*/*", "http://10.1.2.3/"],
    ["http://h/a/../b", "http://h/b"],
  ] as [string, string][]) {
    test(`${pattern} allows ${url}`, () => assert.equal(allows(pattern, url), true));
  }

  for (const [pattern, url] of [
    [local, "http://127.0.0.1:80801/"],
    [local, "http://127.0.0.1:8080@evil.example/"],
    [local, "http://127.0.0.1:8080.evil.example/"],
    [local, "http://evil.example/127.0.0.1:8080/"],
    [local, "http://evil.example#http://127.0.0.1:8080/"],
    [local, "http://evil.example\\@127.0.0.1:8080/"],
    [local, "http://127.0.0.1/"],
    [local, "https://127.0.0.1:8080/"],
    [local, "http://localhost:8080/"],
    [local, "file:///etc/passwd"],
    [local, "//127.0.0.1:8080/"],
    [local, "http://0:8080/"],
    [local, "http://[::ffff:127.0.0.2]:8080/"],
    ["https://*.example.org/*", "https://example.org/"],
    ["https://*.example.org/*", "https://evilexample.org/"],
    ["https://*.example.org/*", "https://a.example.org.evil/"],
    ["http://h/public/*", "http://h/public/../private"],
    ["http://h/public/*", "http://h/public/%2e%2e/private"],
    ["http://h/public/*", "http://h/public/..%2fprivate"],
    ["http://h/public/*", "http://h/public/%252e%252e%252fprivate"],
    ["http://h/public/*", "http://h/public/..;/private"],
    ["http://h/health", "http://h/health?x=1"],
    ["http://h/health", "http://h/healthy"],
    ["http://h:*/*", "http://h:0/"],
  ] as [string, string][]) {
    test(`${pattern} does not allow ${url}`, () => assert.notEqual(allows(pattern, url), true));
  }

  const list = patternList(urlLanguage);
  for (const pattern of [
    "127.0.0.1:8080/*",
    "http://127.0.0.1:8080",
    "http://user@h/*",
    "http://h:99999/*",
    "http://h*/*",
    "http://*.*.x/*",
    "http://10.*/*",
    "http://h/*#x",
    "ftp://h/*",
    "http:///*",
    "http://::1/*",
    "http://h\\x/*",
    "*",
    "",
  ]) {
    test(`${pattern} is no pattern`, () => {
      assert.match(list.checkPermission([pattern]) ?? "", /./);
      assert.deepEqual(list.missing([pattern], ["*://*:*/*"]), [`http ${pattern}`]);
    });
  }

  test("a wider grant covers what is asked for", () => {
    const covers = (wide: string, narrow: string) => list.missing([narrow], [wide]).length === 0;
    assert.ok(covers("*://*:*/*", "https://*.a.org:8443/x*"));
    assert.ok(covers("http://*.org/*", "http://*.a.org/*"));
    assert.ok(covers("http://h/*", "http://h:80/a*b"));
    assert.ok(covers("*://h/*", "https://h:443/*"));
    assert.ok(!covers("http://h/*", "*://h/*"));
    assert.ok(!covers("http://h:80/*", "http://h:*/*"));
    assert.ok(!covers("*://h:80/*", "*://h/*"));
    assert.ok(!covers("http://*.a.org/*", "http://*.org/*"));
    assert.ok(!covers("http://h/a*", "http://h/*"));
  });
});

describe("host:port patterns", () => {
  const list = endpointPermission("tcp");
  const allowed = (pattern: string, target: string): boolean | undefined => {
    const endpoint = parseEndpoint(target);
    if (endpoint === undefined) return undefined;
    const [read] = list.granted([pattern]);
    assert.ok(read !== undefined, pattern);
    return (
      (read.port === undefined || read.port === endpoint.port) &&
      hostMatches(read.host, endpoint.host)
    );
  };

  test("fit addresses, networks and names", () => {
    assert.equal(allowed("10.0.0.0/24:5432", "10.0.0.255:5432"), true);
    assert.equal(allowed("10.0.0.0/24:5432", "10.0.1.0:5432"), false);
    assert.equal(allowed("10.0.0.0/24:5432", "10.0.0.1:5433"), false);
    assert.equal(allowed("10.0.0.0/24:5432", "[::ffff:10.0.0.1]:5432"), true);
    assert.equal(allowed("[::/0]:53", "[::ffff:10.0.0.1]:53"), false);
    assert.equal(allowed("[2001:db8::/32]:*", "[2001:db8:ffff::1]:1"), true);
    assert.equal(allowed("*.db.internal:5432", "A.db.internal.:5432"), true);
    assert.equal(allowed("db.internal:5432", "10.0.0.1:5432"), false);
    assert.equal(allowed("*:25", "mail.example.org:25"), true);
  });

  test("do not fit what a resolver would take for an address", () => {
    for (const target of [
      "127.1:80",
      "0x7f000001:80",
      "2130706433:80",
      "0177.0.0.1:80",
      "1.2.3.0x4:80",
    ]) {
      assert.equal(parseEndpoint(target), undefined, target);
    }
    for (const target of [
      "h",
      "h:",
      "h:0",
      "h:65536",
      "h:+1",
      "::1:80",
      "[h]:80",
      "a b:1",
      "[::1%lo]:80",
      "ü:1",
    ]) {
      assert.equal(parseEndpoint(target), undefined, target);
    }
  });

  test("cover each other only when every target is covered", () => {
    const targets = ["10.0.0.1:80", "10.0.9.1:80", "a.x.org:80", "b.org:81", "[2001:db8::1]:80"];
    const patterns = [
      "*:*",
      "*:80",
      "10.0.0.0/8:80",
      "10.0.0.0/24:*",
      "10.0.0.1:80",
      "*.x.org:80",
      "*.org:*",
      "a.x.org:80",
      "[2001:db8::/32]:80",
      "0.0.0.0/0:80",
      "[::/0]:*",
    ];
    for (const wide of patterns) {
      for (const narrow of patterns) {
        const covered = list.missing([narrow], [wide]).length === 0;
        const leak = targets.find((target) => allowed(narrow, target) && !allowed(wide, target));
        if (covered) assert.equal(leak, undefined, `${wide} covers ${narrow}`);
      }
    }
    assert.deepEqual(list.missing(["10.0.0.0/8:80", "b:1"], ["10.0.0.0/16:80"]), [
      "tcp 10.0.0.0/8:80",
      "tcp b:1",
    ]);
  });
});

describe("name patterns of dns", () => {
  test("name the server that may be asked", () => {
    const missing = (asked: string, granted: string) => namePermission.missing([asked], [granted]);
    assert.deepEqual(missing("a.org@10.0.0.53", "a.org"), ["dns a.org@10.0.0.53"]);
    assert.deepEqual(missing("a.org", "a.org@10.0.0.53"), ["dns a.org"]);
    assert.deepEqual(missing("a.org@10.0.0.53", "*.org@10.0.0.0/24"), []);
    assert.deepEqual(missing("a.org@10.0.0.53:54", "*.org@10.0.0.0/24").length, 1);
    assert.deepEqual(missing("a.org@[2001:db8::1]:54", "*@*:*"), []);
    assert.notEqual(namePermission.checkPermission(["a.org@ns.a.org"]), undefined);
    assert.notEqual(namePermission.checkPermission(["a@b@c"]), undefined);
  });
});

describe("laws", () => {
  const part = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });

  test("a glob fits what its regular expression fits", () => {
    fc.assert(
      fc.property(part, part, (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", "[^]*")}$`);
        assert.equal(globMatches(pattern, text), expression.test(text));
      }),
    );
  });

  test("a hostile glob takes no time to speak of", () => {
    const begun = process.cpuUsage();
    assert.equal(globMatches(`${"*a".repeat(240)}b`, "a".repeat(8_000)), false);
    const { user, system } = process.cpuUsage(begun);
    assert.ok(user + system < 200_000, `${user + system} µs`);
  });

  test("a pattern that covers another fits all that the other fits", () => {
    const name = fc.constantFrom(
      "a.org",
      "b.a.org",
      "c.b.a.org",
      "org",
      "10.0.0.1",
      "10.0.1.1",
      "::1",
    );
    const pattern = fc.oneof(
      name,
      fc.constantFrom(
        "*",
        "*.a.org",
        "*.b.a.org",
        "*.org",
        "10.0.0.0/24",
        "10.0.0.0/16",
        "::/0",
        "0.0.0.0/0",
      ),
    );
    fc.assert(
      fc.property(pattern, pattern, name, (wideText, narrowText, hostName) => {
        const wide = parseHostPattern(wideText) ?? assert.fail(wideText);
        const narrow = parseHostPattern(narrowText) ?? assert.fail(narrowText);
        const host = parseHost(hostName) ?? assert.fail(hostName);
        if (hostCovers(wide, narrow) && hostMatches(narrow, host)) {
          assert.ok(hostMatches(wide, host), `${wideText} ${narrowText} ${hostName}`);
        }
      }),
    );
  });
});
