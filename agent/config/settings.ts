import type { FenceSettings, WitnessSettings } from "./mandates.ts";
import type { Position } from "./position.ts";

/** Plain data, as permissions and options are made of. */
export type SettingValue =
  | null
  | boolean
  | number
  | string
  | readonly SettingValue[]
  | { readonly [key: string]: SettingValue };

/** What one policy may do: one `policy NAME { grant { … } }` of holdfast.conf. */
export interface PolicyGrant {
  readonly position: Position;
  /** Name of the policy, or `*` for every one. */
  readonly policy: string;
  /** By name of the permission, in the SDK's form. */
  readonly grant: Readonly<Record<string, SettingValue>>;
}

/** Where mail goes. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `starttls` must be offered, or nothing is sent; `none` is for a relay on this machine. */
  readonly tls: "none" | "starttls" | "implicit";
  /** File of certificates to trust instead of the system's. */
  readonly caFile: string | undefined;
  readonly user: string | undefined;
  /** Name of the secret. */
  readonly passwordSecret: string | undefined;
  readonly from: string | undefined;
}

/** holdfast.conf: what only Holdfast knows of. It may hold references to secrets, so few may read it. */
export interface Settings {
  /** Absolute path; refusals name it. */
  readonly file: string;
  readonly grants: readonly PolicyGrant[];
  /** Name → absolute path of the file that holds it, read when it is needed. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly smtp: SmtpSettings | undefined;
  /** An operator's own plugins: npm packages. */
  readonly plugins: readonly {
    readonly position: Position;
    readonly name: string;
    readonly package: string;
    readonly options: SettingValue;
  }[];
  /** Options of our own plugins, by name. */
  readonly pluginOptions: Readonly<Record<string, SettingValue>>;
  /** The store of leases. */
  readonly witness: WitnessSettings | undefined;
  readonly fences: readonly FenceSettings[];
}

export const DEFAULT_SETTINGS_FILE = "/etc/holdfast/holdfast.conf";

export const noSettings = (file: string): Settings => ({
  file,
  grants: [],
  secrets: {},
  smtp: undefined,
  plugins: [],
  pluginOptions: {},
  witness: undefined,
  fences: [],
});
