/** Who writes and reads it, as a small graph; the whole of it is one click away. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { one } from "../../api/queries.ts";
import { LineagePicture } from "../assets/lineage-picture.tsx";

const depth = 2;

export function Neighbours({ asset }: { readonly asset: string }) {
  const { data } = useQuery({
    ...one("definition", "/lineage", { around: asset, depth, limit: 60 }),
    retry: false,
  });
  if (!data || data.nodes.length < 2) return null;
  return (
    <section>
      <h2>
        Around it{" "}
        <Link to="/assets" search={{ view: "graph", around: asset }} className="aside-link">
          {data.isCut ? "much more is" : "further"}
        </Link>
      </h2>
      <LineagePicture
        view={data}
        center={`asset ${asset}`}
        label={`What writes and reads ${asset}`}
        isSmall
      />
    </section>
  );
}
