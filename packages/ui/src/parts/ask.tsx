/** A button that opens a dialog: what will be done, what it needs to know, and the button that does it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import type { About } from "../api/queries.ts";
import { Trouble } from "./trouble.tsx";

interface AskProps<Answer> {
  /** On the button that opens it. */
  readonly name: string;
  readonly title: string;
  /** What it will affect, or asks for. A function is called when it opens, and told what was refused. */
  readonly children: ReactNode | ((error: Error | null) => ReactNode);
  readonly confirm: string;
  readonly isMain?: boolean;
  readonly act: () => Promise<Answer>;
  /** What is old afterwards. */
  readonly changes: readonly About[];
  readonly onDone?: (answer: Answer) => void;
  /** Errors that the children show beside what is wrong. */
  readonly isTold?: (error: Error) => boolean;
}

export function Ask<Answer>(props: AskProps<Answer>) {
  const { name, title, children, confirm, isMain = false, act, changes, onDone, isTold } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const queries = useQueryClient();
  const { mutate, error, isPending, reset } = useMutation({
    mutationFn: act,
    onSuccess: (answer) => {
      dialog.current?.close();
      for (const about of changes) void queries.invalidateQueries({ queryKey: [about] });
      onDone?.(answer);
    },
  });
  return (
    <>
      <button
        type="button"
        className={isMain ? "button primary" : "button"}
        onClick={() => {
          reset();
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        {name}
      </button>
      <dialog ref={dialog} aria-label={title} onClose={() => setOpen(false)}>
        {isOpen && (
          <form
            className="asked"
            onSubmit={(event) => {
              event.preventDefault();
              mutate();
            }}
          >
            <h2>{title}</h2>
            {typeof children === "function" ? children(error) : children}
            {error && !isTold?.(error) && <Trouble error={error} />}
            <div className="actions">
              <button type="button" className="button" onClick={() => dialog.current?.close()}>
                Leave it
              </button>
              <button type="submit" className="button primary" disabled={isPending}>
                {isPending ? "…" : confirm}
              </button>
            </div>
          </form>
        )}
      </dialog>
    </>
  );
}
