/** A button whose action says what it will affect before it acts. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import type { About } from "../api/queries.ts";
import { Trouble } from "./trouble.tsx";

interface AskProps {
  readonly name: string;
  readonly title: string;
  /** What it will affect; made when the question is asked. */
  readonly children: ReactNode;
  readonly confirm: string;
  readonly isMain?: boolean;
  readonly act: () => Promise<unknown>;
  /** What is old afterwards. */
  readonly changes: readonly About[];
}

export function Ask({ name, title, children, confirm, isMain = false, act, changes }: AskProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const queries = useQueryClient();
  const { mutate, error, isPending, reset } = useMutation({
    mutationFn: act,
    onSuccess: () => {
      dialog.current?.close();
      for (const about of changes) void queries.invalidateQueries({ queryKey: [about] });
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
        <h2>{title}</h2>
        {isOpen && children}
        {error && <Trouble error={error} />}
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="button" className="button primary" disabled={isPending} onClick={() => mutate()}>
            {isPending ? "…" : confirm}
          </button>
        </div>
      </dialog>
    </>
  );
}
