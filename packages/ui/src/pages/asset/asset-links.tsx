import { Link } from "@tanstack/react-router";

export function AssetLinks({ names }: { readonly names: readonly string[] }) {
  return (
    <>
      {names.map((name, at) => (
        <span key={name}>
          {at > 0 && ", "}
          <Link to="/assets/$asset" params={{ asset: name }}>
            {name}
          </Link>
        </span>
      ))}
    </>
  );
}
