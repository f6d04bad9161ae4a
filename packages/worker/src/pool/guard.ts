/**
 * Kills the children of a worker that was itself killed: a child whose loop is blocked does not see that its pipe closed.
 * A shell, out of the worker's process group, reads the children's process ids and kills their groups when its input ends.
 */
import { spawn, type ChildProcess } from "node:child_process";

const script = `
pids=""
while read -r op pid; do
  if [ "$op" = "+" ]; then pids="$pids $pid"; continue; fi
  kept=""
  for known in $pids; do [ "$known" = "$pid" ] || kept="$kept $known"; done
  pids="$kept"
done
for pid in $pids; do kill -s KILL -- "-$pid" 2>/dev/null; done
`;

export class ChildGuard {
  readonly #shell: ChildProcess | undefined;

  constructor() {
    if (process.platform === "win32") return;
    this.#shell = spawn("/bin/sh", ["-c", script], {
      detached: true,
      env: {},
      stdio: ["pipe", "ignore", "ignore"],
    });
    // Without a shell the worker works the same; only its own violent death leaves children behind.
    this.#shell.on("error", () => {});
    this.#shell.stdin?.on("error", () => {});
    this.#shell.unref();
    (this.#shell.stdin as { unref?: () => void } | null)?.unref?.();
  }

  add(pid: number): void {
    this.#shell?.stdin?.write(`+ ${pid}\n`);
  }

  remove(pid: number): void {
    this.#shell?.stdin?.write(`- ${pid}\n`);
  }

  stop(): void {
    this.#shell?.stdin?.end();
  }
}
