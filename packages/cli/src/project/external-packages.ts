import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import {
  findPackage,
  isInstalled,
  NativePackages,
  packageNameOf,
  type InstalledPackage,
} from "./native-packages.ts";
import { ownPackageFolder } from "./own-package.ts";

export interface ExternalPackages {
  readonly plugin: Plugin;
  /** After the build: names and exact versions of what stayed outside, by name. */
  found(): { readonly [name: string]: string };
}

/** Decides for each bare import whether it goes into the bundle. `forced` names packages that stay outside in any case. */
export function externalPackages(root: string, forced: ReadonlySet<string>): ExternalPackages {
  const natives = new NativePackages();
  const versions = new Map<string, string>();
  const plugin: Plugin = {
    name: "millrace-externals",
    setup(build) {
      build.onResolve({ filter: /^millrace(\/|$)/ }, (args) => resolveOwn(build, args));
      build.onResolve({ filter: /^[@\w]/ }, (args) => {
        if (args.kind === "entry-point") return undefined;
        const name = packageNameOf(args.path);
        if (name === undefined || isOurs(name)) return undefined;
        const found = findPackage(name, args.resolveDir);
        if (!found || !isInstalled(found)) return undefined;
        if (!forced.has(name) && !natives.isNative(found)) return undefined;
        const fault = reachFault(root, found);
        if (fault !== undefined) return { errors: [{ text: fault }] };
        versions.set(name, found.version);
        return { path: args.path, external: true };
      });
    },
  };
  return {
    plugin,
    found: () => Object.fromEntries([...versions].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Marks the requests that this plugin makes itself. */
const ownRequest = Symbol("own request");

/** Our own packages go in, although the published one depends on packages with native code. */
function isOurs(name: string): boolean {
  return name === "millrace" || name.startsWith("@millrace/");
}

/** The project's own `millrace`; without one that of the running command, which may import itself by its name. */
async function resolveOwn(build: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined> {
  if (args.pluginData === ownRequest) return undefined;
  const resolveDir = findPackage("millrace", args.resolveDir) ? args.resolveDir : ownPackageFolder();
  return build.resolve(args.path, { resolveDir, kind: args.kind, pluginData: ownRequest });
}

/** Workers resolve externals from the project's root: what they find there must be what was meant here. */
function reachFault(root: string, found: InstalledPackage): string | undefined {
  const fromRoot = findPackage(found.name, root);
  if (fromRoot?.version === found.version) return undefined;
  const instead = fromRoot ? `finds version ${fromRoot.version}` : "does not find it";
  return `The package ${found.name}@${found.version} has native code, so it stays outside of the bundle and is looked up from the project's root, which ${instead}. Run \`npm install ${found.name}@${found.version}\` in the project.`;
}
