import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Lets a bundle that lies anywhere find the packages that stayed outside, from the project's root. */
export function resolveExternalsFrom(root: string, externals: readonly string[]): void {
  if (externals.length === 0) return;
  const parentURL = pathToFileURL(join(root, "package.json")).href;
  registerHooks({
    resolve(specifier, context, next) {
      const external = externals.some((name) => specifier === name || specifier.startsWith(`${name}/`));
      // A package may import itself, or another external from its own folder: only the bundle's imports are moved.
      const fromBundle = context.parentURL === undefined || !context.parentURL.includes("/node_modules/");
      return external && fromBundle ? next(specifier, { ...context, parentURL }) : next(specifier, context);
    },
  });
}
