/** A pipeline that an update starts, and what else its trigger asks for. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { one } from "../../api/queries.ts";

export function WouldStart({ pipeline }: { readonly pipeline: string }) {
  const { data } = useQuery(one("triggers", `/triggers/${encodeURIComponent(pipeline)}`));
  return (
    <li>
      <Link to="/triggers/$pipeline" params={{ pipeline }}>
        {pipeline}
      </Link>
      {data && (
        <span className="quiet">
          {" "}
          {data.paused && "‖ paused: its firings are kept. "}on {data.condition}
        </span>
      )}
    </li>
  );
}
