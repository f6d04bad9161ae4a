/** What is set, and by whom: as `millrace settings` tells it. */
import { useQuery } from "@tanstack/react-query";
import type { SettingView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { ShortTable, type ShortColumn } from "../../parts/short-table.tsx";
import { Trouble } from "../../parts/trouble.tsx";

const columns: readonly ShortColumn<SettingView>[] = [
  { name: "setting", cell: ({ name }) => <span className="mono">{name}</span> },
  { name: "value", isLong: true, cell: (setting) => <Value setting={setting} /> },
  { name: "from", cell: (setting) => <Source setting={setting} /> },
  { name: "what it is", isLong: true, cell: ({ summary }) => <span className="quiet">{summary}</span> },
];

function Value({ setting: { value, isSecret, note } }: { readonly setting: SettingView }) {
  return (
    <>
      {value !== undefined && <span className="mono">{value}</span>}
      {isSecret && (
        <span className="quiet">{value === undefined ? "set, not shown" : " and what is secret"}</span>
      )}
      {note !== undefined && <span className="quiet">{value === undefined ? note : ` (${note})`}</span>}
    </>
  );
}

function Source({ setting: { source, from } }: { readonly setting: SettingView }) {
  if (source === "default") return <span className="quiet">the default</span>;
  if (source === "operator") return "an operator";
  return (
    <>
      {{ flag: "flag", variable: "variable", file: "file" }[source]} <span className="mono">{from}</span>
    </>
  );
}

export function Settings() {
  const { data, error } = useQuery(one("pools", "/settings"));
  return (
    <section className="block">
      <div className="block-head">
        <h2>Settings</h2>
        <span className="quiet">
          of the server that answers; in a terminal: <code>millrace settings</code>
        </span>
      </div>
      {error && <Trouble error={error} />}
      {data && (
        <ShortTable
          label="Settings"
          rows={data.items}
          columns={columns}
          keyOf={({ name }) => name}
          empty={<p>It was started by a program, which sets all itself.</p>}
        />
      )}
    </section>
  );
}
