/** What `holdfast policy new` begins with; `NAME` becomes the policy's name. */
export interface PolicyTemplate {
  readonly policy: string;
  readonly test: string;
}

const HTTP_CHECK = `      every: "1s",
      timeout: "500ms",
      rise: 2,
      fall: 3,
      track: { routers: { VI_1: -50 } },
      async run(ctx) {
        const { status } = await ctx.http.get("http://127.0.0.1/");
        return { ok: status < 500, reason: \`HTTP \${status}\` };
      },`;

const NGINX = `import { definePolicy } from "holdfast/sdk";

export default definePolicy({
  about: "Moves VI_1 away from a node whose nginx does not answer",
  permissions: {
    http: ["http://127.0.0.1/*"],
    process: ["nginx"],
    control: { routers: ["VI_1"] },
  },
  checks: {
    running: {
      every: "5s",
      track: { routers: { VI_1: "fault" } },
      run: (ctx) => ctx.processes.count("nginx") > 0,
    },
    answers: {
${HTTP_CHECK}
    },
  },
});
`;

const HTTP = `import { definePolicy } from "holdfast/sdk";

export default definePolicy({
  about: "Moves VI_1 away from a node whose web server does not answer",
  permissions: { http: ["http://127.0.0.1/*"], control: { routers: ["VI_1"] } },
  checks: {
    answers: {
${HTTP_CHECK}
    },
  },
});
`;

const TCP = `import { definePolicy } from "holdfast/sdk";

export default definePolicy({
  about: "Moves VI_1 away from a node on which nobody listens",
  permissions: { tcp: ["127.0.0.1:5432"], control: { routers: ["VI_1"] } },
  checks: {
    listens: {
      every: "1s",
      timeout: "500ms",
      fall: 3,
      track: { routers: { VI_1: -50 } },
      async run(ctx) {
        await ctx.tcp.connect("127.0.0.1:5432");
        return true;
      },
    },
  },
});
`;

const EMPTY = `import { definePolicy } from "holdfast/sdk";

export default definePolicy({
  about: "Says in the log when a virtual router changes its state",
  on: {
    transition: (ctx, { router, from, to }) => ctx.log.info(\`\${router}: \${from} to \${to}\`),
  },
});
`;

const testOf = (name: string, world: string, steps: readonly string[]): string =>
  [
    'import assert from "node:assert/strict";',
    'import { test } from "node:test";',
    'import { simulate } from "holdfast/sdk/testing";',
    "",
    `test("${name}", async () => {`,
    `  const world = await simulate("./NAME.ts", ${world});`,
    ...steps.map((step) => `  ${step}`),
    "});",
    "",
  ].join("\n");

const WEB_STEPS = [
  'world.http("http://127.0.0.1/").replies(200);',
  'await world.advance("10s");',
  'assert.equal(world.router("VI_1").priority, 100);',
  'world.http("http://127.0.0.1/").fails("ECONNREFUSED");',
  'await world.advance("10s");',
  'assert.equal(world.router("VI_1").priority, 50);',
];

const ROUTER = "routers: { VI_1: { priority: 100 } }";
const WEB_TEST = "a web server that does not answer costs 50";

export const TEMPLATES: Readonly<Record<string, PolicyTemplate>> = {
  nginx: {
    policy: NGINX,
    test: testOf(WEB_TEST, `{ ${ROUTER}, processes: { nginx: 2 } }`, WEB_STEPS),
  },
  http: { policy: HTTP, test: testOf(WEB_TEST, `{ ${ROUTER} }`, WEB_STEPS) },
  tcp: {
    policy: TCP,
    test: testOf("a port on which nobody listens costs 50", `{ ${ROUTER} }`, [
      'world.tcp("127.0.0.1:5432").fails("ECONNREFUSED");',
      'await world.advance("10s");',
      'assert.equal(world.router("VI_1").priority, 50);',
    ]),
  },
  empty: {
    policy: EMPTY,
    test: testOf("it runs without a fault", `{ ${ROUTER} }`, [
      'await world.advance("1m");',
      "assert.deepEqual(world.errors, []);",
    ]),
  },
};
