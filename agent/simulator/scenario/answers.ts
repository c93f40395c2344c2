import type { AnswerOptions, ScriptedFailure, Simulation } from "../../../sdk/testing.ts";
import type { Micros } from "../../core/time.ts";
import type { Words } from "./words.ts";

/** What one line of a scenario does. */
export type Act = (sim: Simulation) => void;

const milliseconds = (time: Micros): `${number}ms` => `${time / 1_000}ms`;

/** The end of a line that may say when the answer comes. */
function delay(words: Words): AnswerOptions {
  const said = words.optionalChoice(["after"]);
  const options = said === undefined ? {} : { after: milliseconds(words.time("after")) };
  words.end();
  return options;
}

/** What answers, or how it fails: every call can do the latter. */
function answer<Target extends ScriptedFailure, Verb extends string>(
  words: Words,
  verbs: readonly Verb[],
  target: (sim: Simulation) => Target,
  read: (verb: Verb) => (scripted: Target) => void,
): Act {
  const verb = words.choice<Verb | "fails" | "hangs">([...verbs, "fails", "hangs"]);
  if (verb === "hangs") {
    words.end();
    return (sim) => target(sim).hangs();
  }
  if (verb === "fails") {
    const code = words.text("a code such as ECONNREFUSED");
    const options = delay(words);
    return (sim) => target(sim).fails(code, options);
  }
  const reply = read(verb as Verb);
  return (sim) => reply(target(sim));
}

export function httpAnswer(words: Words): Act {
  const url = words.text("a URL");
  return answer(
    words,
    ["replies"],
    (sim) => sim.http(url),
    () => {
      const status = words.wholeNumber("a status", 100, 599);
      const body = words.optionalText("after");
      const options = delay(words);
      return (http) => http.replies(status, body, options);
    },
  );
}

export function talkAnswer(kind: "tcp" | "udp", words: Words): Act {
  const target = words.text("HOST:PORT");
  const sent = words.optionalChoice(["sends"]) && words.text("what is sent");
  return answer(
    words,
    ["replies"],
    (sim) => sim[kind](target, sent),
    () => {
      const received = words.optionalText("after");
      const options = delay(words);
      return (talk) => talk.replies(received, options);
    },
  );
}

export function nameAnswer(words: Words): Act {
  const name = words.text("a name");
  return answer(
    words,
    ["resolves"],
    (sim) => sim.dns(name),
    () => {
      const records: string[] = [];
      for (;;) {
        const record = words.optionalText("after");
        if (record === undefined) break;
        records.push(record);
      }
      const options = delay(words);
      return (dns) => dns.resolves(records, options);
    },
  );
}

export function probeAnswer(kind: "icmp" | "gateway", words: Words): Act {
  const target = words.text("an address");
  return answer(
    words,
    ["replies"],
    (sim) => sim[kind](target),
    () => {
      const options = delay(words);
      return (probe) => probe.replies(options);
    },
  );
}

export function certificateAnswer(words: Words): Act {
  const target = words.text("HOST:PORT");
  return answer(
    words,
    ["days", "invalid"],
    (sim) => sim.tls(target),
    (verb) => {
      const shown =
        verb === "days"
          ? { daysLeft: words.wholeNumber("the days that are left", 0, 36_500) }
          : { valid: false, problem: words.text("what is wrong with it") };
      const options = delay(words);
      return (tls) => tls.shows(shown, options);
    },
  );
}

export function commandAnswer(words: Words): Act {
  const name = words.text("the name of a command");
  return answer(
    words,
    ["exits"],
    (sim) => sim.exec(name),
    () => {
      const code = words.wholeNumber("a status", 0, 255);
      const stdout = words.optionalText("after");
      const options = delay(words);
      return (exec) => exec.exits(code, stdout, options);
    },
  );
}
