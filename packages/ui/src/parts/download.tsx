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
    <button
      type="button"
      className="fold link"
      onClick={() => {
        const address = URL.createObjectURL(new Blob([text()], { type }));
        const link = document.createElement("a");
        link.href = address;
        link.download = name;
        link.click();
        URL.revokeObjectURL(address);
      }}
    >
      {children}
    </button>
  );
}
