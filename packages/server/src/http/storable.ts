import type { Json } from "@millrace/core";
import { isStorable } from "@millrace/protocol";

/** Whether the database can look into a value: it then reads every text in it. */
export function isStorableAll(value: Json): boolean {
  if (typeof value === "string") return isStorable(value);
  if (value === null || typeof value !== "object") return true;
  return Object.entries(value).every(([name, inner]) => isStorable(name) && isStorableAll(inner));
}
