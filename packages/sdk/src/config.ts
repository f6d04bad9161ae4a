/** The shape of `millrace.config.ts`. */
export interface MillraceConfig {
  /** The deploy's unit: a deploy replaces exactly this project's pipelines. */
  readonly project: string;
  /** Globs of pipeline files, relative to the configuration. */
  readonly include: readonly string[];
  /** Shared limits and their slots. What an operator sets holds over deploys. */
  readonly pools?: { readonly [name: string]: number };
  /** Queues beside `default`. */
  readonly queues?: readonly string[];
  /** `paused`: with `millrace deploy` a trigger that is new begins paused. In `millrace dev` it is on at once. */
  readonly newTriggers?: "active" | "paused";
}

/**
 * Types the configuration: `export default defineConfig({ project: "shop", include: ["pipelines/*.ts"] })`.
 * Returns its argument.
 */
export function defineConfig(config: MillraceConfig): MillraceConfig {
  return config;
}
