import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { describeKeywords } from "../../../agent/config/keepalived/describe-keywords.ts";
import { keywordTable } from "../../../agent/config/keepalived/keyword-table.ts";

const wanted = readFileSync(
  new URL("../../vectors/config/language/keyword-paths.txt", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n");

test("the table has each of keepalived's 531 keyword paths, and our own besides", () => {
  const all = describeKeywords();
  const theirs = all.filter((each) => !each.own).map((each) => each.path);
  assert.equal(wanted.length, 531);
  assert.deepEqual(theirs.toSorted(), wanted.toSorted());
  assert.deepEqual(
    all.filter(({ own }) => own).map((each) => each.path),
    [
      "global_defs.holdfast_fencing",
      "global_defs.holdfast_witness",
      "vrrp_sync_group.holdfast_witness",
      "vrrp_sync_group.holdfast_fence",
      "vrrp_instance.holdfast_advert_interface",
      "vrrp_instance.holdfast_drop_foreign_addresses",
      "vrrp_instance.holdfast_fencing",
      "vrrp_instance.holdfast_witness",
      "vrrp_instance.holdfast_fence",
      "virtual_server.holdfast_drain",
      "virtual_server.holdfast_slow_start",
      "virtual_server.holdfast_panic",
      "virtual_server.holdfast_data_path",
      "virtual_server.real_server.holdfast_check",
      "virtual_server.real_server.TCP_CHECK.holdfast_grpc",
      "virtual_server.real_server.TCP_CHECK.holdfast_tls",
      "virtual_server.real_server.TCP_CHECK.holdfast_verify",
      "virtual_server.real_server.TCP_CHECK.holdfast_ca",
      "virtual_server.real_server.HTTP_GET.holdfast_http2",
      "virtual_server.real_server.HTTP_GET.url.holdfast_json",
      "virtual_server.real_server.SSL_GET.holdfast_http2",
      "virtual_server.real_server.SSL_GET.holdfast_verify",
      "virtual_server.real_server.SSL_GET.holdfast_ca",
      "virtual_server.real_server.SSL_GET.url.holdfast_json",
    ],
  );
});

test("every keyword has a meaning, a default and sensible ranges", () => {
  for (const { path, keyword } of keywordTable.nodes) {
    assert.notEqual(keyword.meaning, "", path);
    assert.notEqual(keyword.default, "", path);
    const { required, optional, rest } = keyword.grammar;
    for (const argument of [...required, ...optional, ...(rest === undefined ? [] : [rest])]) {
      if ("min" in argument) assert.ok(argument.min < argument.max, path);
      if (argument.kind === "enum") assert.ok(argument.values.length > 0, path);
    }
  }
});

test("the scope tells what has its effect now", () => {
  const scopes = new Map(describeKeywords().map((each) => [each.path, each.scope]));
  const table: readonly [string, "vrrp" | "later"][] = [
    ["vrrp_instance.priority", "vrrp"],
    ["vrrp_instance.track_interface", "vrrp"],
    ["vrrp_instance.auth_hmac.key", "vrrp"],
    ["vrrp_instance.virtual_routes", "vrrp"],
    ["vrrp_sync_group.group", "vrrp"],
    ["garp_group.interfaces", "vrrp"],
    ["static_rules", "vrrp"],
    ["track_group.group", "vrrp"],
    ["interface_up_down_delays", "vrrp"],
    ["global_defs.vrrp_strict", "vrrp"],
    ["global_defs.router_id", "vrrp"],
    ["net_namespace", "vrrp"],
    ["vrrp_instance.track_script", "vrrp"],
    ["vrrp_sync_group.track_bfd", "vrrp"],
    ["vrrp_instance.notify_master", "vrrp"],
    ["vrrp_instance.smtp_alert", "vrrp"],
    ["global_defs.notification_email", "vrrp"],
    ["global_defs.smtp_alert_checker", "vrrp"],
    ["virtual_server.smtp_alert", "vrrp"],
    ["virtual_server.real_server.notify_up", "vrrp"],
    ["global_defs.enable_snmp_vrrp", "later"],
    ["global_defs.enable_dbus", "later"],
    ["linkbeat_interfaces", "later"],
    ["vrrp_script.interval", "vrrp"],
    ["virtual_server.real_server.HTTP_GET.url.path", "vrrp"],
    ["bfd_instance.min_rx", "vrrp"],
  ];
  for (const [path, scope] of table) assert.equal(scopes.get(path), scope, path);
});

test("arguments are described in one line", () => {
  const described = new Map(describeKeywords().map((each) => [each.path, each]));
  assert.equal(described.get("vrrp_instance.priority")?.arguments, "<1–255>");
  assert.equal(described.get("vrrp_instance.lower_prio_no_advert")?.arguments, "[on|off]");
  assert.equal(described.get("vrrp_instance.nopreempt")?.arguments, "");
  assert.equal(described.get("vrrp_instance.advert_int")?.arguments, "<seconds 0.01–255>");
  assert.equal(described.get("vrrp_instance.virtual_ipaddress")?.block, "addresses");
  assert.equal(described.get("vrrp_instance.authentication")?.block, "keywords");
  assert.equal(
    described.get("vrrp_instance.thread_timer_expired")?.deprecatedFor,
    "timer_expired_backup",
  );
});
