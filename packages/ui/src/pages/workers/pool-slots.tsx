/** How many slots a pool has, as an operator sets it: it holds over deploys. */
import { useState } from "react";
import type { PoolView } from "@millrace/protocol";
import { put } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";
import { countOf } from "../../parts/number-text.ts";

interface PoolSlotsProps {
  readonly pool: Pick<PoolView, "name" | "slots" | "used">;
  /** On the button. */
  readonly name: string;
}

export function PoolSlots({ pool, name }: PoolSlotsProps) {
  const [text, setText] = useState(String(pool.slots));
  const slots = Number(text);
  const isNumber = /^\d{1,7}$/.test(text) && slots <= 1_000_000;
  return (
    <>
      <Ask
        name={name}
        title={`Slots of the pool ${pool.name}`}
        confirm="Set"
        act={() => put(`/pools/${encodeURIComponent(pool.name)}`, { slots: isNumber ? slots : -1 })}
        changes={["pools", "overview"]}
      >
        <p>
          <input
            className="field"
            inputMode="numeric"
            aria-label="Slots"
            aria-invalid={!isNumber}
            value={text}
            onChange={(event) => setText(event.target.value.trim())}
          />
        </p>
        <p>
          {!isNumber
            ? "A whole number from 0 to 1,000,000."
            : slots < pool.used
              ? `${pool.used} are used: those go on, and nobody else gets one until fewer than ${slots} are.`
              : `${countOf(Math.max(0, slots - pool.used), "slot")} will be free. It holds over deploys.`}
        </p>
      </Ask>
    </>
  );
}
