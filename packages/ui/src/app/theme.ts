/** Light, dark, or as the system has it. */
import { useSyncExternalStore } from "react";

const name = "millrace.theme";
export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const listeners = new Set<() => void>();

export function theme(): Theme {
  const kept = localStorage.getItem(name);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, theme);
}

export function setTheme(value: Theme): void {
  localStorage.setItem(name, value);
  applyTheme();
  for (const listener of listeners) listener();
}

export function applyTheme(): void {
  const value = theme();
  if (value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = value;
}
