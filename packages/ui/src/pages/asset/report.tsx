/** Tells that somebody wrote the asset elsewhere, as `millrace assets update` does: what listens to it hears it. */
import { useState } from "react";
import type { Json } from "@millrace/core";
import type { AssetDetail } from "@millrace/protocol";
import { get, post } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";

interface ReportProps {
  readonly asset: AssetDetail;
  /** Of this one; asked for where it is absent and the asset has partitions. */
  readonly partition: string | undefined;
}

const source = "/page";
const eventType = "application/cloudevents+json";

export function Report({ asset, partition }: ReportProps) {
  const { name, partitions, triggers } = asset;
  const [key, setKey] = useState("");
  const [metadata, setMetadata] = useState("");
  const told = partition ?? (partitions ? key.trim() : undefined);
  return (
    <Ask
      name="Report an update…"
      title={
        partition === undefined
          ? `${name} was written elsewhere`
          : `${name} ${partition} was written elsewhere`
      }
      confirm="Report it"
      changes={["assets", "events", "triggers"]}
      act={async () => {
        const data = { ...(told === undefined ? {} : { partition: told }), ...metadataOf(metadata) };
        // What is no partition of it is refused here: in the log it would stand as an update that did not fit.
        if (told !== undefined)
          await get(`/assets/${encodeURIComponent(name)}/versions`, { partition: told, limit: 1 });
        return post(
          "/events",
          {
            specversion: "1.0",
            id: crypto.randomUUID(),
            source,
            type: "millrace.asset.updated",
            subject: name,
            data,
          },
          eventType,
        );
      }}
      onDone={() => {
        setKey("");
        setMetadata("");
      }}
    >
      <p>
        Nothing runs by this but what listens:{" "}
        {triggers.length === 0 ? "no trigger does." : `${triggers.join(", ")} may start.`}
      </p>
      <div className="form">
        {partition === undefined && partitions && (
          <label>
            <span>partition *</span>
            <input className="field" required value={key} onChange={({ target }) => setKey(target.value)} />
            <small className="quiet">{partitions.kind}</small>
          </label>
        )}
        <label>
          <span>metadata</span>
          <textarea
            className="field mono"
            rows={3}
            placeholder='{ "rows": 1200 }'
            value={metadata}
            onChange={({ target }) => setMetadata(target.value)}
          />
          <small className="quiet">A JSON object, shown with it; may be left out.</small>
        </label>
      </div>
    </Ask>
  );
}

function metadataOf(text: string): { readonly metadata?: Json } {
  if (text.trim() === "") return {};
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new Error(`The metadata is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return { metadata: value };
  throw new Error('The metadata must be a JSON object, such as { "rows": 1200 }.');
}
