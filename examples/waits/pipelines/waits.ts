import { on, pipeline, task, wait } from "millrace";
import { z } from "zod";

const place = task("place", (input: { item: string }) => ({ id: `order-${input.item}` }));
const ship = task("ship", (input: { order: string; amount: number }) => `${input.order} for ${input.amount}`);

const orderPaid = on.event<{ orderId: string; amount: number }, "order.paid">;

/** Waits until this very order is paid: the filter asks for what a task before it returned. */
export const order = pipeline("order", { params: z.object({ item: z.string() }) }, ({ params }) => {
  const placed = place({ item: params.item });
  const paid = wait(orderPaid("order.paid", { where: { data: { orderId: placed.id } } }), { id: "paid" });
  return ship({ order: placed.id, amount: paid.members["order.paid"][0]!.data.amount });
});

const note = task("note", (input: { timedOut: boolean }) => (input.timedOut ? "nothing came" : "it came"));

/** Goes on without what did not come. */
export const patient = pipeline("patient", () => {
  const came = wait(on.event("never.comes"), { timeout: "200ms", onTimeout: "continue" });
  return note({ timedOut: came.timedOut });
});
