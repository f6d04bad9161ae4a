/** A pipeline as a part of others: it has its own runs, its own history, and gives back what its body returns. */
import { pipeline, task } from "millrace";
import { z } from "zod";

const readMeter = task("read-meter", (input: { house: number }) => ({ kilowattHours: input.house * 100 }));
const price = task("price", (input: { kilowattHours: number; cents: number }) => {
  return { euros: (input.kilowattHours * input.cents) / 100 };
});

// Exported, it is deployed, and can also be run by itself: `millrace run bill --param house=7`.
export const bill = pipeline(
  "bill",
  { params: z.object({ house: z.int().positive(), cents: z.number().default(30) }) },
  ({ params }) => {
    const meter = readMeter({ house: params.house });
    return price({ kilowattHours: meter.kilowattHours, cents: params.cents });
  },
);

const total = task("total", (bills: readonly { euros: number }[]) =>
  bills.reduce((sum, one) => sum + one.euros, 0),
);

export const street = pipeline("street", () => {
  // A call waits for the other run without holding a slot. Its parameters are checked, and its output is typed.
  const first = bill.call({ house: 1 }, { id: "first-house" });
  // Mapped, it makes one run per element. Cancelling this run cancels them; a failed one fails its node.
  const others = bill.call.map([2, 3, 4], (house) => ({ house, cents: 25 }), {
    id: "other-houses",
    concurrency: 2,
  });
  return { first: first.euros, others: total(others) };
});
