import { useState } from "react";

/** Code with a button that copies it. */
export function Code({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <div className="code">
      <pre>{text}</pre>
      <button
        type="button"
        className="button"
        onClick={() => {
          void navigator.clipboard.writeText(text).then(() => setCopied(true));
        }}
      >
        {isCopied ? "copied" : "copy"}
      </button>
    </div>
  );
}
