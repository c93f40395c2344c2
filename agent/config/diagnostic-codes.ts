import type { Diagnostic, Severity } from "./diagnostic.ts";
import type { Position } from "./position.ts";

/** What is the same for every finding of one code. */
export interface DiagnosticCodeEntry {
  readonly severity: Severity;
  /** What the code means, as a noun phrase. */
  readonly summary: string;
  /** What the operator should do. */
  readonly remedy: string;
  /** What happens as the file stands; for an error: why it is refused. */
  readonly effect: string;
}

const entry = (
  severity: Severity,
  summary: string,
  remedy: string,
  effect: string,
): DiagnosticCodeEntry => ({ severity, summary, remedy, effect });

/**
 * The one table of configuration findings, sorted by code. An error refuses the file; it is
 * reserved for what would cost an instance its identity, addresses, authentication or a tracker, or a
 * policy its meaning.
 */
// biome-ignore format: one row per line keeps concurrent changes and reviews simple
export const diagnosticCodes = {
  "address-duplicate": entry("warning", "an address that is listed twice", "Remove one of the lines.", "The first one counts."),
  "address-invalid": entry("error", "a line that does not begin with an address", "Begin the line with an IPv4 or IPv6 address.", "Nobody would hold the address."),
  "address-moved": entry("warning", "an address that an advertisement cannot list", "Put it into virtual_ipaddress_excluded, or into an instance of its own.", "It is held, but not advertised."),
  "address-option-ignored": entry("warning", "an option of an address that cannot have its effect", "Remove it.", "The option is left out."),
  "address-option-invalid": entry("warning", "an option of an address with a wrong value", "Correct the value.", "The option is left out."),
  "address-option-unknown": entry("warning", "a word that addresses do not have", "Correct or remove the word.", "The word is left out."),
  "address-second-on-line": entry("error", "two addresses on one line", "Put each on a line of its own.", "Nobody would hold the second one."),
  "address-shared": entry("warning", "an address of two instances", "Keep it in one of them.", "When either gives it up, it is gone."),
  "addresses-missing": entry("error", "an instance without an address, in VRRP version 3 or strict mode", "Write virtual_ipaddress { ADDRESS }.", "The instance would be removed."),
  "addresses-none": entry("warning", "an instance without an address", "Write virtual_ipaddress, or no_virtual_ipaddress if that is meant.", "It advertises an empty list."),
  "auth-ignored": entry("warning", "authentication where there is none", "Remove it, on every node at once.", "The instance runs without authentication."),
  "auth-invalid": entry("error", "authentication that cannot work", "Write auth_type PASS or AH, and auth_pass.", "The instance would run without authentication."),
  "auth-password-cut": entry("warning", "a password of more than 8 bytes", "Write 8 bytes or fewer.", "The first 8 bytes are used."),
  "block-not-taken": entry("warning", "a block after a word that takes none", "Remove the braces and what is between them.", "The block is skipped."),
  "block-skipped": entry("warning", "a block with an unknown name", "Correct or remove the name.", "The whole block is skipped."),
  "brace-closes-wrong-block": entry("error", "a closing brace is missing", "Close the block that was opened first.", "What follows would belong to the wrong block."),
  "certificate-unverified": entry("warning", "an SSL_GET that looks at no certificate", "Write holdfast_verify on, or off if that is meant.", "Whoever answers counts as the server, as with keepalived."),
  "check-invalid": entry("error", "a health check that cannot work as it is written", "Complete or correct the block.", "keepalived leaves it out, and the server counts as good without it."),
  "data-path-refused": entry("warning", "holdfast_data_path where there is no such path", "Use DR or TUN and addresses of one family, or remove the word.", "The check looks at the real server's own address."),
  "definition-too-deep": entry("error", "a definition that refers to itself, or a chain of definitions that is too long", "Break the circle of definitions.", "The line has no value."),
  "delay-too-long": entry("warning", "a link delay longer than the patience of the others", "Shorten the delay, or raise advert_int or down_timer_adverts.", "Others take over before the link counts as down."),
  "deprecated-keyword": entry("warning", "an old spelling", "Write the new word.", "Works as the new word does."),
  "duplicate-keyword": entry("warning", "the same word twice in one block", "Keep one of them.", "The last one counts; of notify scripts, the first."),
  "essential-misplaced": entry("error", "a word that an instance depends on, in the wrong block", "Move it to the block it belongs to.", "The instance would run without it, or the policy be refused."),
  "essential-unknown": entry("error", "a misspelt word that an instance depends on", "Correct the spelling.", "The instance would run without it, or the policy be refused."),
  "essential-value": entry("error", "a value that an instance depends on and that cannot be used", "Write a value of the expected kind.", "The instance would run without it, or the policy be refused."),
  "expansion-too-large": entry("error", "definitions or generators that produce too much", "Split the file, or generate less from one line.", "The rest of the expansion is missing."),
  "extra-words": entry("warning", "more words than the keyword takes", "Put them on a line of their own, or remove them.", "They are ignored."),
  "family-conflict": entry("warning", "an address of the other family", "Use one instance for each family.", "The address is left out."),
  "fencing-impossible": entry("warning", "fencing that the timers of an instance do not allow", "Write what the hint says, on every node.", "The addresses have a lifetime and no more: after a failure two nodes may answer for them."),
  "first-address-not-link-local": entry("warning", "an IPv6 instance that does not list a link-local address first", "Put an address of fe80::/10 first, on every node.", "It runs; strict routers may drop its advertisements."),
  "generator-invalid": entry("error", "a ~SEQ or ~LST that cannot be read", "Write ~SEQ(name, start, step, end) or ~LST(name, value, …).", "Its lines are missing."),
  "grant-idle": entry("warning", "a grant for what there is not", "Correct the name, or remove it.", "It grants nothing."),
  "grant-invalid": entry("error", "a grant that means nothing", "Write it as the hint says.", "The policy would be refused."),
  "group-address-invalid": entry("error", "a multicast group that is none", "Write a multicast address of the family.", "The instance would talk to another group than its peers."),
  "group-member-invalid": entry("error", "a member that its sync group cannot have", "List each instance in one group, by its name.", "It would move without the others."),
  "group-small": entry("warning", "a sync group of fewer than two", "List two or more instances.", "It couples nothing."),
  "hmac-invalid": entry("error", "an auth_hmac that cannot work", "Give keys of 32 to 64 bytes and an active_key among them.", "The instance would run without authentication."),
  "identity-duplicate": entry("error", "two instances with one identity", "Give each its own virtual_router_id.", "Each would take the other for a rival."),
  "identity-missing": entry("error", "an instance without a usable virtual_router_id or interface", "Write both.", "The instance would be removed."),
  "include-cycle": entry("error", "a file that includes itself", "Remove one of the include lines.", "The file would never end."),
  "include-failed": entry("error", "an included file that cannot be read", "Correct its path, permissions or kind.", "What it says is missing."),
  "include-unmatched": entry("warning", "an include that names no file", "Correct the pattern, or use includer for optional files.", "Nothing is included."),
  "include-unmatched-checked": entry("error", "a checked include that names no file", "Correct the pattern, or use plain include.", "What it should say is missing."),
  "interface-name-invalid": entry("error", "a name that no interface can have", "Write 1 to 15 characters, without a slash.", "It would never be found."),
  "kernel-setting": entry("warning", "a setting of this host's kernel that goes against a virtual server", "Run the command of the hint, and write the setting into /etc/sysctl.d.", "The file is taken as it is; the agent does not change the setting."),
  "keyword-misplaced": entry("warning", "a known word in the wrong block", "Move it to the block it belongs to.", "It is ignored."),
  "keyword-unknown": entry("warning", "a word that the language does not have", "Correct or remove it.", "The line is ignored."),
  "line-too-long": entry("warning", "a line of more than 1023 characters", "Break the line.", "It is used here; keepalived ignores such lines."),
  "mail-server-missing": entry("warning", "recipients of mail, and no mail server", "Write smtp_server here, or an smtp block in holdfast.conf.", "No mail is sent."),
  "mark-reserved": entry("error", "a mark that holdfast_data_path may give to a real server", "Write another mark.", "What has it would go to that real server alone."),
  "missing-argument": entry("error", "a keyword without its value", "Write the value on the same line.", "Nobody knows which value was meant."),
  "missing-argument-ignored": entry("warning", "a keyword without its value, which keepalived passes over", "Write the value on the same line, or remove the word.", "The line is ignored; the default stands."),
  "missing-block": entry("error", "a keyword without its block", "Write { … } after it.", "What should be in the block is lost."),
  "missing-closing-brace": entry("error", "a block that is never closed", "Add the missing }.", "What follows would belong to the wrong block."),
  "missing-opening-brace": entry("warning", "a block without its opening brace", "Add the missing {.", "Read as if the { were there."),
  "name-duplicate": entry("error", "two blocks of one name", "Give each its own name.", "Nobody could tell them apart."),
  "name-missing": entry("error", "a block without its name", "Write a name before the brace.", "Nobody could refer to it."),
  "no-effect-yet": entry("warning", "a keyword that is understood but has no effect yet", "Nothing, or keep keepalived for this part.", "It is ignored."),
  "owner-by-default": entry("warning", "state MASTER without a priority", "Write priority N.", "The priority is 255, which no weight changes."),
  "peer-duplicate": entry("warning", "a unicast peer that is listed twice", "Remove one of the lines.", "The first one counts."),
  "peer-invalid": entry("error", "a unicast peer that cannot be reached", "Write one address of the family on each line.", "The peer would hear nothing and become active too."),
  "peer-option-unknown": entry("warning", "an option of a unicast peer that is not understood", "Write ADDRESS [min_ttl N] [max_ttl N].", "The option is left out."),
  "peers-none": entry("warning", "unicast settings without a peer", "Write unicast_peer, or unicast_fault_no_peer.", "The instance uses multicast."),
  "policy-check": entry("warning", "a tracker that names a check of a policy which is not there", "Correct the name, or write the policy.", "The tracker counts as failed until a policy with this check runs."),
  "policy-contest": entry("warning", "a service whose weights two policies ask for", "Take it out of one of them.", "The first of them in the alphabet decides."),
  "policy-evaluation": entry("error", "a policy that fails when it is loaded", "Correct it at its place: what stands outside of checks and hooks runs then.", "The agent refuses the policy; an earlier version runs on."),
  "policy-grant": entry("error", "a permission of a policy that is not granted", "Grant it in holdfast.conf, or ask for less.", "The agent refuses the policy; an earlier version runs on."),
  "policy-import": entry("error", "an import of something else than holdfast/sdk and files of the policies folder", "Copy what is needed into the folder.", "The agent refuses the policy; an earlier version runs on."),
  "policy-name": entry("error", "a file whose name no policy can have", "Rename the file.", "The file is passed over."),
  "policy-owner": entry("error", "a policy that others than root and the agent's user can change", "Correct its owner or mode.", "The agent refuses the policy; an earlier version runs on."),
  "policy-permissions": entry("error", "permissions that cannot be read or mean nothing", "Write them out as plain data, as the hint says.", "The agent refuses the policy; an earlier version runs on."),
  "policy-shape": entry("error", "a policy that does not have the form of one", "Correct it as the hint says.", "The agent refuses the policy; an earlier version runs on."),
  "policy-size": entry("error", "a policy that is too large", "Import less, or split it.", "The agent refuses the policy; an earlier version runs on."),
  "policy-syntax": entry("error", "a policy that is no TypeScript", "Correct it at its place.", "The agent refuses the policy; an earlier version runs on."),
  "policy-type": entry("error", "a type error in a policy", "Correct it at its place.", "The agent runs the policy all the same, as types are checked here only."),
  "policy-unreadable": entry("error", "a policy that cannot be read", "Correct its path, kind or permissions.", "The agent refuses the policy; an earlier version runs on."),
  "pool-empty": entry("warning", "a virtual server that nobody serves", "Write real_server ADDRESS PORT { … }, with a weight above 0.", "Without a real server it is left out, as keepalived leaves it out."),
  "port-missing": entry("warning", "a virtual server without a port, or one port for all of them", "Write the port after the address.", "It takes every port; for that keepalived makes it persistent, and so does Holdfast."),
  "preempt-conflict": entry("warning", "nopreempt or preempt_delay where it cannot work", "Write state BACKUP, and a priority below 255, on every node.", "It is ignored."),
  "process-name-unusable": entry("warning", "a process name that the kernel never has", "Write full_command, and the program as it is started.", "It counts no process."),
  "program-exposed": entry("warning", "a program that root runs and others can change", "Take the right to write from the others, or let another user run it with script_user.", "It runs; who can write there is root too. With enable_script_security it would not run."),
  "program-refused": entry("warning", "a program that cannot or may not run", "Correct its path, permissions or user; then reload.", "A tracker has failed for good; a notification is not told."),
  "protocol-missing": entry("warning", "a virtual server without a protocol", "Write protocol TCP, UDP or SCTP.", "It serves UDP, as with keepalived: a connection of TCP is refused."),
  "regex-unsupported": entry("error", "a regex whose meaning cannot be kept", "Write it as the hint says.", "It might match what it should not, or not what it should."),
  "route-invalid": entry("warning", "a route that is not understood", "Write it as ip route takes it.", "The route is left out."),
  "route-option-ignored": entry("warning", "a word of a route that cannot have its effect", "Remove it, or write no_track.", "The word is left out."),
  "rule-invalid": entry("warning", "a rule that is not understood", "Write it as ip rule takes it.", "The rule is left out."),
  "rule-option-ignored": entry("warning", "a word of a rule that cannot have its effect", "Remove it, or write no_track.", "The word is left out."),
  "rule-preference": entry("warning", "a rule without a preference", "Write preference N.", "It gets 16384, and each further one less by one."),
  "script-stops-agent": entry("warning", "a script that stops keepalived", "End a tracking script with exit 1 instead.", "All instances of the node stop with it."),
  "secret-exposed": entry("error", "a file with a secret that others can read or change", "Take their permissions away.", "It would be no secret."),
  "secret-invalid": entry("error", "a secret that cannot be found by its name", "Define it with secret NAME /path/of/file.", "What needs it would fail."),
  "secret-missing": entry("warning", "a file of a secret that is not there", "Write the secret into the file.", "What needs it fails until then."),
  "server-duplicate": entry("warning", "a real server that stands in its pool twice", "Remove one of the blocks.", "The first one counts."),
  "server-family": entry("warning", "a server of another family than its virtual server", "Use a server of the same family, or lvs_method TUN.", "It is left out where the families differ."),
  "server-port": entry("warning", "a server with a port that packets are not sent to", "Write the port of the virtual server, or lvs_method NAT.", "The port of the virtual server is used, none with fwmark; the checks keep theirs."),
  "setting-ignored": entry("warning", "a setting that another one makes void", "Remove it.", "It is ignored."),
  "settings-exposed": entry("error", "a holdfast.conf that others than root can change", "Take their permissions away.", "Who can write it could do what root can."),
  "settings-not-seen": entry("warning", "a holdfast.conf that this user may not read", "Run the check as root.", "It was not checked."),
  "settings-unreadable": entry("error", "a holdfast.conf that cannot be read", "Correct its kind or permissions.", "Nobody knows what it grants."),
  "smtp-invalid": entry("error", "an smtp block that cannot work, or gives a password away", "Correct it as the hint says.", "No mail could be sent."),
  "strict-override": entry("warning", "a setting that strict mode decides otherwise", "Remove it, or leave strict mode.", "Strict mode wins."),
  "strict-refuses": entry("error", "unicast in strict mode", "Leave strict mode, or remove unicast_peer.", "keepalived removes the instance."),
  "strict-unreachable": entry("warning", "strict mode below priority 255", "Remove vrrp_strict or strict_mode.", "Packets to the addresses are dropped."),
  "timeout-exceeds-interval": entry("warning", "a timeout longer than the interval", "Write a timeout of at most the interval.", "While a run takes long, the next ones are left out."),
  "track-group-unusable": entry("error", "a track_group that cannot do its work", "Name an existing group and instances, and an interface.", "A loss would go unnoticed."),
  "tracker-duplicate": entry("warning", "an interface or tracker that is tracked twice", "Remove one of the lines.", "The first one counts."),
  "tracker-invalid": entry("error", "a tracker that cannot work as it is written", "Complete or correct the block.", "keepalived leaves it out, and the instance runs without it."),
  "tracker-option-unknown": entry("warning", "an option of a tracked interface or tracker that is not understood", "Write NAME [weight N [reverse]].", "The option is left out."),
  "tracker-unknown": entry("error", "a tracker that nobody defines", "Correct the name, or define it.", "keepalived runs the instance without it."),
  "tracker-unused": entry("warning", "a tracker that nothing tracks", "Track it in an instance or group, or remove it.", "It runs for nothing."),
  "trailing-semicolon": entry("warning", "a semicolon at the end of a value", "Remove the semicolon.", "It is part of the value, which is therefore not recognised: the line is ignored."),
  "unclosed-quote": entry("error", "a double quote without its partner", "Close the quote on the same line.", "The words of the line are unclear."),
  "undefined-definition": entry("error", "a reference in braces, outside quotes, to what is not defined", "Define it above with $NAME=value, or quote the text.", "Its braces would be taken for those of a block."),
  "undefined-name": entry("warning", "a word that looks like a definition and is not defined", "Define it above with $NAME=value.", "It is taken literally."),
  "unexpected-closing-brace": entry("warning", "a closing brace with nothing to close", "Remove it, or find the block that ended too early.", "It is ignored."),
  "unexpected-opening-brace": entry("error", "an opening brace that belongs to no word", "Remove it and its closing brace, or name the block.", "The block is skipped."),
  "unicast-on-base": entry("warning", "unicast with use_vmac, without vmac_xmit_base", "Write vmac_xmit_base.", "Advertisements leave by the interface itself."),
  "value-adjusted": entry("warning", "a value that has to be rounded or limited", "Write the value that is used.", "The nearest possible value is used."),
  "value-invalid": entry("warning", "a value of the wrong kind or out of range", "Write a value of the expected kind.", "The line is ignored; the default stands."),
  "version-conflict": entry("warning", "IPv6 with VRRP version 2", "Write version 3.", "Version 3 is used."),
  "virtual-link-address": entry("error", "an ipvlan without an address of the family", "Write use_ipvlan NAME ADDRESS/LENGTH.", "The instance could never become active."),
  "virtual-link-option": entry("warning", "an option of a virtual interface that is not understood", "Correct or remove it.", "The option is left out."),
  "virtual-server-duplicate": entry("warning", "two virtual servers for the same traffic", "Merge them, or give each its own address, port or mark.", "The first one counts."),
  "virtual-server-invalid": entry("error", "a virtual server, or a server of one, that cannot work as it is written", "Correct it as the hint says.", "keepalived leaves it out, and nobody takes its traffic."),
  "weight-ignored": entry("warning", "a weight that cannot count: in a sync group without sync_group_tracking_weight, or with priority 255", "Write sync_group_tracking_weight or a lower priority, or no weight.", "The weight counts for nothing."),
} as const satisfies Record<string, DiagnosticCodeEntry>;

export type DiagnosticCode = keyof typeof diagnosticCodes;

/** Makes a finding; its severity is the table's. */
export function diagnose(
  code: DiagnosticCode,
  position: Position,
  text: string,
  message: string,
  hint?: string,
): Diagnostic {
  return { code, severity: diagnosticCodes[code].severity, position, message, text, hint };
}
