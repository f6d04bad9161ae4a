/**
 * Ends what a test process leaves behind when it is itself killed: a shell reads what there is, and ends that when its
 * input ends. What was ended in order is struck off the list before.
 */
import { spawn, type ChildProcess } from "node:child_process";

const script = `
pids=""
folders=""
without() { kept=""; for known in $2; do [ "$known" = "$1" ] || kept="$kept $known"; done; }
while read -r op what; do
  case "$op" in
    +pid) pids="$pids $what" ;;
    -pid) without "$what" "$pids"; pids="$kept" ;;
    +folder) folders="$folders $what" ;;
    -folder) without "$what" "$folders"; folders="$kept" ;;
  esac
done
for pid in $pids; do kill -s KILL "$pid" 2>/dev/null; done
for folder in $folders; do
  for file in "$folder"/*/postgres/postmaster.pid; do
    [ -f "$file" ] && read -r pid < "$file" && kill -s QUIT "$pid" 2>/dev/null
  done
done
[ -z "$folders" ] || sleep 3
for folder in $folders; do rm -rf "$folder"; done
`;

class Guard {
  #shell: ChildProcess | undefined;

  /** `+pid`, `-pid`, `+folder` or `-folder`. */
  tell(op: string, what: string | number): void {
    this.#shell ??= this.#start();
    this.#shell.stdin?.write(`${op} ${what}\n`);
  }

  #start(): ChildProcess {
    // Out of the test's process group, which a Ctrl-C ends as a whole.
    const shell = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
    shell.unref();
    (shell.stdin as { unref?: () => void } | null)?.unref?.();
    return shell;
  }
}

export const guard = new Guard();
