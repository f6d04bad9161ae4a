/** A button that opens a dialog: what will be done, what it needs to know, and the button that does it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, use, useEffect, useRef, useState, type ReactNode } from "react";
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

/** Whoever knows already what is to be asked: the one with this name opens without its button, the others are not there. */
interface AskedAtOnce {
  readonly isWanted: (name: string) => boolean;
  readonly onClose: () => void;
}

export const AskAtOnce = createContext<AskedAtOnce | undefined>(undefined);

export function Ask<Answer>(props: AskProps<Answer>) {
  const atOnce = use(AskAtOnce);
  if (atOnce && !atOnce.isWanted(props.name)) return null;
  return <AskDialog {...props} />;
}

function AskDialog<Answer>(props: AskProps<Answer>) {
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
  const atOnce = use(AskAtOnce);
  const opensAtOnce = atOnce !== undefined;
  const close = (): void => {
    setOpen(false);
    atOnce?.onClose();
  };
  useEffect(() => {
    if (!opensAtOnce) return;
    setOpen(true);
    dialog.current?.showModal();
  }, [opensAtOnce]);
  return (
    <>
      <button
        type="button"
        hidden={opensAtOnce}
        className={isMain ? "button primary" : "button"}
        onClick={() => {
          reset();
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        {name}
      </button>
      <dialog ref={dialog} aria-label={title} onClose={close}>
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
