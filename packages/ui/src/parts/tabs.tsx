/** Parts of a page, each with its own address. */
import { Link, type LinkProps } from "@tanstack/react-router";

interface TabsProps {
  readonly label: string;
  readonly tabs: readonly { readonly id: string; readonly name: string }[];
  readonly tab: string;
  readonly to: (id: string) => LinkProps;
}

export function Tabs({ label, tabs, tab, to }: TabsProps) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ id, name }) => (
        <Link
          key={id}
          {...to(id)}
          className={id === tab ? "active" : undefined}
          aria-current={id === tab ? "page" : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
