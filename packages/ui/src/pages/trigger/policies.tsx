/** What a trigger's code says, in words and as data. */
import type { Json } from "@millrace/core";
import type { TriggerDetail } from "@millrace/protocol";
import { Facts } from "../../parts/facts.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Clock } from "../../parts/time.tsx";
import { catchUpText } from "../pipeline/pause.tsx";

const policies = {
  each: "each firing has its own run",
  coalesce: "firings that wait for a slot share a run",
  latest: "of firings that wait for a slot the newest has a run",
} as const;

export function Policies({ trigger }: { readonly trigger: TriggerDetail }) {
  const { definition, version, activated, operands } = trigger;
  const facts = [
    [
      "version",
      <span key="version">
        {version}, since position {activated.position} of the log, <Clock at={activated.at} />
      </span>,
    ],
    ["operands", operands.join(", ")],
    ["firings", policies[definition.policy ?? "each"]],
    ["after a pause", `${catchUpText(definition.onResume)} of what came during it`],
    ["after an outage", `${catchUpText(definition.catchUp)} of the ticks that passed`],
    ["loop limit", definition.loopLimit],
  ] as const;
  return (
    <div className="parts scrolls">
      <section>
        <Facts facts={facts} />
      </section>
      <section>
        <h2>The condition as data</h2>
        <JsonTree value={definition.condition as unknown as Json} />
      </section>
    </div>
  );
}
