/**
 * Parameters with a schema. As JSON Schema they are checked where a run is asked for, before anything runs:
 *
 *     millrace run invoice --param customer=42
 *     millrace run invoice --param customer=-1     refused: it must be above 0
 *     millrace run invoice                         refused: `customer` is missing
 */
import { pipeline, task } from "millrace";
import { z } from "zod";

const params = z.object({
  customer: z.int().positive(),
  currency: z.enum(["EUR", "USD"]).default("EUR"),
  lines: z.array(z.object({ text: z.string(), amount: z.number().nonnegative() })).default([]),
  // JSON has no dates: take a text, and turn it into what you need in the task.
  day: z.iso.date().default("2026-01-31"),
});

const addUp = task("add-up", (lines: readonly { text: string; amount: number }[]) => ({
  amount: lines.reduce((sum, line) => sum + line.amount, 0),
}));

interface Letter {
  readonly customer: number;
  readonly amount: number;
  readonly currency: string;
  readonly day: string;
}

const write = task("write", (letter: Letter, ctx) => {
  // All parameters are here as well, after the schema's own validator: with its transforms and refinements.
  const { customer } = params.parse(ctx.params);
  return `${letter.day}: customer ${customer} owes ${letter.amount} ${letter.currency}`;
});

export const invoice = pipeline(
  "invoice",
  { params, owner: "billing", tags: ["example"], maxActiveRuns: 4, deadline: "10m" },
  // `params` is a reference, as outputs are: its values exist when the run runs, and its types are known now.
  ({ params }) => {
    const { amount } = addUp(params.lines);
    return write({ customer: params.customer, amount, currency: params.currency, day: params.day });
  },
);
