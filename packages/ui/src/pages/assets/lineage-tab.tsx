/** The graph of all assets, or of what is around one thing. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { QueryAt } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { kindLooks, LineagePicture } from "./lineage-picture.tsx";

const route = getRouteApi("/assets");
const depths = ["2", "4", "8", "30"] as const;

export function LineageTab({ names }: { readonly names: readonly string[] }) {
  const { around, kind, depth } = route.useSearch();
  const navigate = route.useNavigate();
  const query = around === undefined ? {} : { around, kind, depth };
  const { data, error, refetch } = useQuery({
    ...one("overview", "/lineage", query as QueryAt<"GET", "/lineage">),
    placeholderData: (before) => before,
    retry: false,
  });
  const found = data?.nodes.find(({ name, kind: own }) => name === around && own === (kind ?? "asset"));
  return (
    <>
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          const name = new FormData(event.currentTarget).get("around");
          if (typeof name === "string" && name !== "")
            void navigate({ search: ({ kind: _kind, ...rest }) => ({ ...rest, around: name }) });
        }}
      >
        <input
          key={around ?? ""}
          className="field"
          type="search"
          name="around"
          list="names-of-assets"
          data-filter
          aria-label="around this asset"
          placeholder="around an asset  /"
          defaultValue={kind === undefined ? around : ""}
        />
        <datalist id="names-of-assets">
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {around !== undefined && (
          <>
            <label className="inline">
              <span className="unseen">how far</span>
              <select
                className="field"
                value={depth ?? "4"}
                onChange={({ target }) =>
                  void navigate({ search: (before) => ({ ...before, depth: target.value }) })
                }
              >
                {depths.map((far) => (
                  <option key={far} value={far}>
                    {far === "30" ? "as far as it goes" : `${far} steps`}
                  </option>
                ))}
              </select>
            </label>
            <Link to="/assets" search={{ view: "graph" }}>
              all of them
            </Link>
          </>
        )}
      </form>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <p className="quiet">Reading…</p>
      ) : data.nodes.length === 0 ? (
        <p className="empty quiet">No asset is known, and no pipeline listens to events.</p>
      ) : (
        <>
          {data.isCut && (
            <p className="note">
              {data.nodes.length} are drawn, and there are more: name an asset to see what is around it.
            </p>
          )}
          <LineagePicture
            view={data}
            center={found?.id}
            label={`Graph of ${data.nodes.length} things; plus and minus change its size, the arrow keys move it`}
          />
          <Legend />
        </>
      )}
    </>
  );
}

function Legend() {
  return (
    <p className="legend quiet">
      {Object.values(kindLooks).map(([mark, word]) => (
        <span key={word}>
          <span aria-hidden="true">{mark}</span> {word}
        </span>
      ))}
      <span>
        <span aria-hidden="true">┄</span> is read, and starts nothing
      </span>
    </p>
  );
}
