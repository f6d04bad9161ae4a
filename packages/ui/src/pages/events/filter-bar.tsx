/** What the feed is filtered by: attributes with indexes, and a filter in the language of `where`. A wrong one is told at its field. */
import { getRouteApi } from "@tanstack/react-router";
import type { KeyboardEvent } from "react";
import { ApiError } from "../../api/client.ts";

const route = getRouteApi("/events");
const attributes = ["type", "subject", "source"] as const;
const hints = { type: "type, order.*  /", subject: "subject", source: "source" } as const;

export function FilterBar({ error }: { readonly error: Error | null }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const wrong = error instanceof ApiError && error.problem.fields?.["query"] === "where" ? error : undefined;
  const enter =
    (name: "type" | "subject" | "source" | "where") =>
    ({ key, currentTarget }: KeyboardEvent<HTMLInputElement>): void => {
      if (key !== "Enter") return;
      const value = currentTarget.value.trim();
      void navigate({
        search: ({ [name]: _old, ...rest }) => ({ ...rest, ...(value === "" ? {} : { [name]: value }) }),
      });
    };
  const isFiltered = [...attributes, "where", "invalid", "until"].some(
    (name) => search[name as "type"] !== undefined,
  );
  return (
    <div className="event-filters">
      <div className="filters">
        {attributes.map((name, index) => (
          <input
            key={`${name} ${search[name] ?? ""}`}
            className="field"
            {...(index === 0 ? { "data-filter": "" } : {})}
            aria-label={name}
            placeholder={hints[name]}
            defaultValue={search[name] ?? ""}
            onKeyDown={enter(name)}
          />
        ))}
        <label className="inline">
          <input
            type="checkbox"
            checked={search.invalid !== undefined}
            onChange={({ target }) =>
              void navigate({
                search: ({ invalid: _old, ...rest }) => ({
                  ...rest,
                  ...(target.checked ? { invalid: "true" } : {}),
                }),
              })
            }
          />
          invalid ones
        </label>
        {isFiltered && (
          <button
            type="button"
            className="button"
            onClick={() =>
              void navigate({
                search: ({ event, by, span }) => ({
                  ...(event === undefined ? {} : { event }),
                  ...(by === undefined ? {} : { by }),
                  ...(span === undefined ? {} : { span }),
                }),
              })
            }
          >
            All events
          </button>
        )}
      </div>
      <input
        key={`where ${search.where ?? ""}`}
        className="field mono where"
        aria-label="where"
        aria-invalid={wrong !== undefined}
        spellCheck={false}
        placeholder={'where: data.country == "DE" && data.amount > 100, or {"data": {"country": "DE"}}'}
        defaultValue={search.where ?? ""}
        onKeyDown={enter("where")}
      />
      {wrong && (
        <p className="bad-text" role="alert">
          {wrong.message} <span className="quiet">{wrong.problem.advice}</span>
        </p>
      )}
    </div>
  );
}
