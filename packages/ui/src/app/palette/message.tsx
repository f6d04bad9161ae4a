/** Says why an action is not there. */
import { useEffect, useRef, type ReactNode } from "react";
import { Trouble } from "../../parts/trouble.tsx";

interface MessageProps {
  readonly title: string;
  readonly error?: Error;
  readonly children?: ReactNode;
  readonly onClose: () => void;
}

export function Message({ title, error, children, onClose }: MessageProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose}>
      <div className="asked">
        <h2>{title}</h2>
        {children !== undefined && <p>{children}</p>}
        {error && <Trouble error={error} />}
        <div className="actions">
          <button type="button" className="button primary" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  );
}
