import type { ReactNode } from "react";

interface DownloadProps {
  readonly name: string;
  readonly type: string;
  /** Made only when it is asked for. */
  readonly text: () => string;
  readonly children: ReactNode;
}

/** A button that saves what the page shows. */
export function Download({ name, type, text, children }: DownloadProps) {
  return (
    <button type="button" className="fold link" onClick={() => saveFile(name, new Blob([text()], { type }))}>
      {children}
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
