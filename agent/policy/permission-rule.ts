import type { Plugin } from "../../sdk/plugin.ts";

/** What judges one permission: a plugin, or the part of one that knows what its grants mean. */
export type PermissionRule = Pick<Plugin, "permission" | "checkPermission" | "missing"> &
  Partial<Pick<Plugin, "name">>;
