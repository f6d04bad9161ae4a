/** The keys that work on this page. */
import { useEffect, useRef } from "react";
import { keysHere, keyText } from "../parts/keys.ts";

export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // As the page was when it was asked for.
  const groups = useRef(keysHere());
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-label="Keys" className="keys-dialog" onClose={onClose}>
      <div className="asked">
        <h2>Keys that work here</h2>
        <div className="key-groups">
          {groups.current.map(({ title, keys }) => (
            <section key={title}>
              <h3>{title}</h3>
              <dl className="keys">
                {keys.map((key) => (
                  <div key={key.keys.join()}>
                    <dt>
                      {key.keys.map((one, at) => (
                        <span key={one}>
                          {at > 0 && " or "}
                          <kbd>{keyText(one)}</kbd>
                        </span>
                      ))}
                    </dt>
                    <dd>{key.does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <p className="quiet">None of them acts while you type.</p>
        <div className="actions">
          <button type="button" className="button primary" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  );
}
