/** Remembers where each resource that can keep a process alive was made, to name the guilty line of a file that never ends. */
import { createHook } from "node:async_hooks";

export interface OpenResource {
  /** Node's name for it: `TCPSERVERWRAP`, `Timeout`. */
  readonly type: string;
  /** The stack of its making. */
  readonly stack: string;
  /** The file that was being imported. */
  readonly file: string | undefined;
}

interface Tracked extends OpenResource {
  readonly resource: WeakRef<object>;
}

/** Kinds that keep nothing alive, or only for one turn. */
const harmless = new Set([
  "TickObject",
  "Immediate",
  "Microtask",
  "PerformanceObserver",
  "RANDOMBYTESREQUEST",
  "TIMERWRAP",
]);
const trackedMax = 10_000;

export interface ResourceTracker {
  open(): readonly OpenResource[];
  /** Stacks of the promises that were made while `file` was imported and have not settled, the last one first. */
  pending(file: string): Iterable<string>;
}

/** Starts to watch. `currentFile` tells which file is being imported. */
export function trackResources(currentFile: () => string | undefined): ResourceTracker {
  const tracked = new Map<number, Tracked>();
  const promises = new Map<number, { readonly made: Error; readonly file: string }>();
  const hook = createHook({
    init(id, type, _trigger, resource) {
      if (type === "PROMISE") {
        const file = currentFile();
        if (file !== undefined && promises.size < trackedMax)
          promises.set(id, { made: new Error("made"), file });
        return;
      }
      if (harmless.has(type) || tracked.size >= trackedMax) return;
      const made = new Error("made here");
      const file = currentFile();
      // The stack is formatted only when it is read.
      const entry = {
        type,
        file,
        resource: new WeakRef(resource),
        get stack() {
          return made.stack ?? "";
        },
      };
      tracked.set(id, entry);
    },
    promiseResolve(id) {
      promises.delete(id);
    },
    destroy(id) {
      tracked.delete(id);
    },
  });
  hook.enable();
  return {
    open: () => [...tracked.values()].filter((entry) => holdsLoop(entry.resource.deref())),
    *pending(file) {
      for (const promise of [...promises.values()].reverse()) {
        if (promise.file === file) yield promise.made.stack ?? "";
      }
    },
  };
}

function holdsLoop(resource: object | undefined): boolean {
  if (!resource) return false;
  if ("hasRef" in resource && typeof resource.hasRef === "function") return resource.hasRef() === true;
  return true;
}
