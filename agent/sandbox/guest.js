// Runs inside the sandbox, ahead of the policy, once in every realm: it is short, as each realm parses
// and keeps it. To tools it is a module; to the engine, the body of a function (see prelude.ts).
//
// It may be harmed by the policy it serves (whoever breaks `Promise` breaks it for himself alone), so
// the host takes nothing that it says on trust. What it says leaves as text that only captured
// functions made.

const { stringify, parse } = JSON;
const { create, defineProperty, freeze, hasOwn, keys } = Object;
const { apply, construct } = Reflect;
const { slice } = String.prototype;
const { get: lookUp, set: associate } = WeakMap.prototype;
const [RealDate, Failure, Pledge, textOf, WrongType] = [Date, Error, Promise, String, TypeError];

const runs = create(null);
const calls = create(null);
const checks = create(null);
const hooks = create(null);
/** What decides the weights of services; `undefined`: nothing. */
let balancer;
const runOf = new WeakMap();
/** What every `ctx` inherits. */
const base = create(null);

/** Time stands still while guest code runs. */
let now = 0;
let chance = 0;
/** What the host said at the start: `{ members, permissions, state, limits }`. */
let given;
/** `undefined`: the policy keeps no state. */
let version;
let state = {};
let keptState = "";
let viewText = "{}";
let view;
let inFlight = 0;
let nextCall = 0;
let outbox = "";
let said = 0;
let dropped = 0;

/** `item`: parts of a list, as JSON. */
function tell(item) {
  outbox += `${outbox && ","}[${item}]`;
}

/** What was thrown, as text, whatever it is. */
function describe(thrown) {
  try {
    const { name, message } = thrown ?? {};
    const text = typeof message === "string" ? `${name}: ${message}` : textOf(thrown);
    return apply(slice, text, [0, 2000]);
  } catch {
    return "something was thrown that cannot be shown";
  }
}

function stackOf(thrown) {
  try {
    return apply(slice, thrown.stack, [0, 8000]);
  } catch {
    return "";
  }
}

/** JSON of a value. Throws a TypeError with the next step when it is none, or too large. */
function toJson(value, what, most) {
  let text;
  let reason = "";
  try {
    text = stringify(value);
  } catch (thrown) {
    reason = ` (${describe(thrown)})`;
  }
  if (typeof text !== "string") throw new WrongType(`${what} must be JSON${reason}`);
  if (text.length > most) throw new WrongType(`${what} must be at most ${most} characters of JSON`);
  return text;
}

/** Asks the host for something. Never throws. `nothing`: what an answer of null becomes. */
function ask(run, operation, args, nothing) {
  return new Pledge((resolve, reject) => {
    if (run.over) throw new Failure(`${operation}: the run is over; await what it starts`);
    const most = given.limits.callsInFlight;
    if (inFlight >= most) throw new Failure(`${operation}: more than ${most} calls at once`);
    const text = toJson(args, `arguments of ${operation}`, given.limits.message);
    const id = ++nextCall;
    inFlight++;
    // An answer of the host has no frame of the policy, so the place of the call is kept for it.
    calls[id] = { resolve, reject, nothing, run, site: new Failure().stack };
    tell(`"call",${id},${stringify(operation)},${stringify(text)}`);
  });
}

/** Says something to the host. */
function say(run, operation, args) {
  if (run.deaf) return;
  const { effects, message, turn } = given.limits;
  if (said >= effects || outbox.length > turn) {
    dropped++;
    return;
  }
  said++;
  const text = toJson(args, `arguments of ${operation}`, message);
  tell(`"effect",${stringify(operation)},${stringify(text)}`);
}

function settle(id, ok, text) {
  const call = calls[id];
  if (!call) return;
  delete calls[id];
  inFlight--;
  const value = text ? parse(text) : null;
  if (ok) return call.resolve(value ?? call.nothing);
  const error = new Failure(value.message);
  error.code = value.code;
  defineProperty(error, "stack", { value: call.site });
  call.reject(error);
}

/** Ends a run. `outcome`: parts of a list as JSON, or what makes them. */
function end(run, kind, outcome) {
  if (run.over) return;
  run.over = true;
  delete runs[run.id];
  tell(`"${kind}",${run.id},${outcome}`);
}

function fail(run, kind, thrown) {
  end(run, "fail", `"${kind}",${stringify(describe(thrown))},${stringify(stackOf(thrown))}`);
}

function succeed(run, value) {
  if (run.over) return;
  try {
    const result = toJson(
      run.answers ? (value ?? null) : null,
      "what it answers",
      given.limits.message,
    );
    end(run, "done", `${stringify(result)},${changedState()}`);
  } catch (wrong) {
    fail(run, "invalid", wrong);
  }
}

/** The state as a text in JSON when the host does not have it yet. Throws, with the old one back. */
function changedState() {
  if (version === undefined) return null;
  try {
    const text = toJson(state, "state", given.limits.state);
    if (text === keptState) return null;
    keptState = text;
    return stringify(`{"version":${version},"value":${text}}`);
  } catch (wrong) {
    state = parse(keptState);
    throw wrong;
  }
}

function enter(id, runner, answers, more) {
  const run = { id, answers, at: now, over: false, deaf: false };
  runs[id] = run;
  const ctx = create(base);
  apply(associate, runOf, [ctx, run]);
  try {
    if (!runner) throw new WrongType("the policy has no such check, hook or balance");
    const value = apply(runner.run, runner.owner, [freeze(ctx), more]);
    if (value === undefined || typeof value === "boolean") succeed(run, value);
    else void follow(run, value);
  } catch (thrown) {
    fail(run, "exception", thrown);
  }
}

async function follow(run, value) {
  try {
    succeed(run, await value);
  } catch (thrown) {
    fail(run, "exception", thrown);
  }
}

/** Nobody waits for the run any more: what it asked for fails, and what it says is not heard. */
function abandon(id) {
  const run = runs[id];
  if (!run) return;
  run.over = true;
  run.deaf = true;
  delete runs[id];
  for (const call of keys(calls)) {
    if (calls[call].run === run)
      settle(call, false, '{"code":"closed","message":"the run was given up"}');
  }
}

/** Adds a member to every `ctx`; `get` is handed the run whose `ctx` it is. */
function offer(member, get) {
  defineProperty(base, member, {
    enumerable: true,
    get() {
      return get(apply(lookUp, runOf, [this]));
    },
  });
}

/** An object whose methods speak to the host. */
function speaker(run, speak, prefix, methods, first = [], made = {}) {
  for (const method of methods) {
    made[method] = (...args) => speak(run, `${prefix}.${method}`, [...first, ...args]);
  }
  return freeze(made);
}

/** The view, frozen, so that what one run does to it no other run sees; read when somebody looks. */
function look() {
  view ??= parse(viewText, (_, value) => freeze(value));
  return view;
}

function mustList(list, permission, name) {
  if (!list.includes(name)) {
    throw new WrongType(`${describe(name)} is not in permissions.${permission}; add it there`);
  }
}

function offerMembers({ members, permissions }) {
  for (const [member, prefix, effects, methods] of members) {
    const speak = effects ? say : ask;
    offer(member, (run) => speaker(run, speak, prefix, methods));
  }
  offer("now", (run) => run.at);
  offer("state", () => state);
  offer("sleep", (run) => (time) => ask(run, "clock.sleep", [time]));
  offer("node", () => look().node);
  for (const list of ["peers", "nodes", "services"]) offer(list, () => look()[list] ?? freeze([]));
  offer("routers", () => look().routers ?? freeze({}));
  const { control, plugins, process } = permissions;
  if (process) offer("processes", () => freeze({ count: (name) => countOf(process, name) }));
  if (plugins) {
    offer("plugin", (run) => (name, method, ...args) => {
      mustList(keys(plugins), "plugins", name);
      return ask(run, `plugin.${name}.${method}`, args, null);
    });
  }
  if (control) offerControls(control);
  freeze(base);
}

function countOf(process, name) {
  mustList(process, "process", name);
  const counts = look().processes ?? {};
  return hasOwn(counts, name) ? counts[name] : 0;
}

/** Virtual routers and real servers: what they show, and what moves them. */
function offerControls({ routers, realServers }) {
  if (routers) {
    offer("router", (run) => (name) => {
      mustList(routers, "control.routers", name);
      const unknown = { state: "initialize", priority: 0, base: 0, interface: null };
      const lists = { contributions: freeze([]), addresses: freeze([]) };
      const shown = { ...unknown, ...lists, ...look().routers?.[name], name };
      return speaker(run, say, "router", ["adjust", "fault", "clear"], [name], shown);
    });
  }
  if (realServers) {
    offer("realServer", (run) => (name) => {
      mustList(realServers, "control.realServers", name);
      const shown = { up: false, weight: 0, activeConnections: 0, ...realServer(name), name };
      return speaker(run, say, "realServer", ["setWeight", "drain", "clear"], [name], shown);
    });
  }
}

/** `"service/address:port"` in the services of the view. */
function realServer(wanted) {
  for (const { name, realServers } of look().services ?? []) {
    for (const server of realServers) {
      if (server.name === wanted || `${name}/${server.name}` === wanted) return server;
    }
  }
}

/** Reads each member once; answers what the policy declares, without the functions. */
function take(policy) {
  if (typeof policy?.valueOf() !== "object") {
    throw new WrongType("the default export must be a policy: definePolicy({ … })");
  }
  const { about, state: spec, checks: found = {}, on = {}, balance: balancing } = policy;
  const declared = create(null);
  for (const name of keys(found)) {
    const { run, ...rest } = found[name];
    if (typeof run !== "function") throw new WrongType(`checks.${name}.run must be a function`);
    checks[name] = { owner: found[name], run };
    declared[name] = rest;
  }
  let balance;
  if (balancing) {
    const { run, ...rest } = balancing;
    if (typeof run !== "function") throw new WrongType("balance.run must be a function");
    balancer = { owner: balancing, run };
    balance = rest;
  }
  const events = keys(on);
  for (const name of events) {
    const run = on[name];
    if (typeof run !== "function") throw new WrongType(`on.${name} must be a function`);
    hooks[name] = { owner: on, run };
  }
  if (spec) takeState(spec, given.state);
  return { about, checks: declared, balance, events, stateVersion: version };
}

/** The state as it was kept, brought to this version, or a first one. */
function takeState(spec, kept) {
  const { version: current, init, migrate } = spec;
  if (typeof current !== "number") throw new WrongType("state.version must be a number");
  let value;
  if (kept?.version === current) value = kept.value;
  else if (kept?.version < current && migrate)
    value = apply(migrate, spec, [kept.value, kept.version]);
  else value = apply(init, spec, []);
  // Plain data from here on, as it will be after each reload.
  state = parse(toJson(value, "state", given.limits.state));
  version = current;
}

function start(text, policy) {
  given = parse(text);
  nextCall = given.lastCall;
  try {
    const shape = toJson(take(policy), "what it declares", given.limits.message);
    offerMembers(given);
    tell(`"loaded",${stringify(shape)},${changedState()}`);
  } catch (thrown) {
    fail({ id: 0 }, "exception", thrown);
  }
}

/** Time and chance are the host's. */
function inject() {
  // Called as a function it answers text, whatever its arguments.
  function InjectedDate(...parts) {
    if (!new.target) return new RealDate(now).toString();
    return construct(RealDate, parts.length ? parts : [now], new.target);
  }
  const { parse: read, prototype, UTC } = RealDate;
  InjectedDate.prototype = prototype;
  prototype.constructor = InjectedDate;
  InjectedDate.parse = read;
  InjectedDate.UTC = UTC;
  InjectedDate.now = () => now;
  defineProperty(InjectedDate, "name", { value: "Date" });
  globalThis.Date = InjectedDate;
  const { imul } = Math;
  // mulberry32
  Math.random = () => {
    chance = (chance + 0x6d2b79f5) | 0;
    let drawn = imul(chance ^ (chance >>> 15), 1 | chance);
    drawn = (drawn + imul(drawn ^ (drawn >>> 7), 61 | drawn)) ^ drawn;
    return ((drawn ^ (drawn >>> 14)) >>> 0) / 4294967296;
  };
}

inject();

/** The one door: what the host says; the answer is JSON of a list of what was told. */
function door(command, id, text, at, value) {
  now = at;
  if (command === "check") enter(id, checks[text], true);
  else if (command === "balance") enter(id, balancer, true, parse(text));
  else if (command === "event") {
    const { name, event } = parse(text);
    enter(id, hooks[name], false, event);
  } else if (command === "good" || command === "bad") settle(id, command === "good", text);
  else if (command === "view") {
    viewText = text;
    view = undefined;
  } else if (command === "abandon") abandon(id);
  else if (command === "seed") chance = id;
  else if (command === "start") start(text, value);
  else if (command === "describe") fail({ id }, "exception", value);
  if (dropped) tell(`"dropped",${dropped}`);
  said = 0;
  dropped = 0;
  const told = outbox;
  outbox = "";
  return `[${told}]`;
}

export { door };
