import { useState, type ReactNode } from "react";

interface DownloadProps {
  readonly name: string;
  readonly type: string;
  /** Made only when it is asked for. */
  readonly text: () => string | Promise<string>;
  readonly children: ReactNode;
}

/** A button that saves what the page shows. */
export function Download({ name, type, text, children }: DownloadProps) {
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  async function save(): Promise<void> {
    setState("busy");
    try {
      saveFile(name, new Blob([await text()], { type }));
      setState("idle");
    } catch {
      setState("failed");
    }
  }
  return (
    <button
      type="button"
      className="fold link"
      title={`Save it as ${name}`}
      disabled={state === "busy"}
      onClick={() => void save()}
    >
      {children}
      {state === "busy" && " …"}
      {state === "failed" && <span className="bad-text"> could not be made: try again</span>}
    </button>
  );
}

export function saveFile(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
