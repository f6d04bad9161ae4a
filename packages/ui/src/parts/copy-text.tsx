/** A short text that is copied by a click. */
import { useState } from "react";

export function CopyText({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <button
      type="button"
      className="copy-text mono"
      title="Copy"
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      {text} <span className="copy-word">{isCopied ? "copied" : "copy"}</span>
    </button>
  );
}
