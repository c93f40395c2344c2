import type { RuleConfig } from "../../config/config.ts";
import type { Family } from "../../core/address.ts";
import type { NetworkEvent, RequestOutcome } from "../../ports/network.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import { RTM } from "../../wire/netlink/rtnetlink.ts";
import { inBatch } from "./batch.ts";
import type { Channel } from "./channel.ts";
import { ruleWords } from "./installed-routes.ts";
import { DONE, FOREIGN, outcomeOf } from "./outcome.ts";
import type { RuleIdentity } from "./rule-message.ts";
import {
  decodeRule,
  encodeRuleInstall,
  encodeRuleRemoval,
  encodeShownRuleRemoval,
  identityOfRule,
  isOurRule,
  ruleDumpBody,
  sameRule,
} from "./rule-message.ts";
import { Tracked } from "./tracked.ts";

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
const GONE = ["ENOENT", "ESRCH"];

/** The rules that this agent holds, and notice of those that somebody else took away. */
export class InstalledRules {
  readonly #requests: Channel;
  readonly #dumps: Channel;
  readonly #tracked: Tracked<RuleConfig, RuleIdentity>;

  constructor(requests: Channel, dumps: Channel, tell: (event: NetworkEvent) => void) {
    this.#requests = requests;
    this.#dumps = dumps;
    this.#tracked = new Tracked(
      { same: sameRule, bucketOf: ({ head }) => head },
      () => this.#shown(),
      (rule) => tell({ kind: "rule-removed", rule }),
    );
  }

  async install(rules: readonly RuleConfig[]): Promise<readonly RequestOutcome[]> {
    // Without a priority the kernel would add an equal rule a second time.
    const shown = await this.#shown();
    const isShown = (rule: RuleConfig): boolean => {
      const identity = identityOfRule(rule);
      return identity !== undefined && (shown ?? []).some((one) => sameRule(identity, one));
    };
    return inBatch(
      rules,
      (rule) => {
        if (!isShown(rule)) return encodeRuleInstall(rule);
        this.#tracked.add(rule, identityOfRule(rule));
        return DONE;
      },
      (messages) => this.#requests.request(messages),
      (rule, answer) => {
        // Ours was looked for above. Kernels that do not compare who added a rule refuse a second one.
        if (answer.errno === "EEXIST") return FOREIGN;
        const outcome = outcomeOf(answer, `add ${ruleWords(rule)}`, []);
        if (outcome.ok) this.#tracked.add(rule, identityOfRule(rule));
        return outcome;
      },
    );
  }

  remove(rules: readonly RuleConfig[]): Promise<readonly RequestOutcome[]> {
    return inBatch(
      rules,
      (rule) => {
        this.#tracked.forget(identityOfRule(rule));
        return encodeRuleRemoval(rule);
      },
      (messages) => this.#requests.request(messages),
      (rule, answer) => outcomeOf(answer, `remove ${ruleWords(rule)}`, GONE),
    );
  }

  async removeLeftovers(): Promise<void> {
    const dumps = await this.#dumpAll();
    const ours = dumps.flatMap(({ messages }) =>
      messages.flatMap(({ body }) => {
        const rule = decodeRule(body);
        return rule !== undefined && isOurRule(rule) ? [body] : [];
      }),
    );
    await this.#requests.request(ours.map(encodeShownRuleRemoval));
  }

  /** Whether a message may mean that a rule of ours went: then `look` is due. */
  concerns({ type }: NetlinkMessage): boolean {
    return type === RTM.deleteRule && !this.#tracked.empty;
  }

  look(): Promise<void> {
    return this.#tracked.look();
  }

  async #shown(): Promise<readonly RuleIdentity[] | undefined> {
    const dumps = await this.#dumpAll();
    if (dumps.every(({ errno }) => errno !== undefined)) return undefined;
    return dumps.flatMap(({ messages }) => messages.flatMap(({ body }) => decodeRule(body) ?? []));
  }

  #dumpAll() {
    return Promise.all(
      FAMILIES.map((family) => this.#dumps.dump(RTM.getRule, ruleDumpBody(family))),
    );
  }
}
