/** A server's settings for people, with its state folder as it is meant. */
import { settingViews, type GivenSettings, type SettingView } from "@millrace/protocol";

export function settingsOf(given: GivenSettings, stateFolder: string): SettingView[] {
  return settingViews(given).map((setting) =>
    setting.name === "state" ? { ...setting, value: stateFolder } : setting,
  );
}
