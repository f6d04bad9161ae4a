/** The head of a page: what it is about, one sentence of its state, and what can be done here. */
import { useEffect, type ReactNode } from "react";

interface HeadProps {
  readonly title: ReactNode;
  /** For the window's title; needed where `title` is more than text. */
  readonly name: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

export function Head({ title, name, children, actions }: HeadProps) {
  useEffect(() => {
    document.title = `${name} · Millrace`;
  }, [name]);
  return (
    <div className="head">
      <div className="words">
        <h1>{title}</h1>
        <div className="sentence">{children}</div>
      </div>
      {actions !== undefined && <div className="actions">{actions}</div>}
    </div>
  );
}
