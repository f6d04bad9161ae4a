/** The type test of filters and keys: see `authoring.types.ts`. */
import { z } from "zod";
import type { KeyInput, WhereInput } from "../src/index.ts";

interface Order {
  country: string;
  amount: number;
  name: string;
  paid: boolean;
  at: string;
  tags: string[];
  counts: readonly number[];
  kind: "a" | "b";
  note?: string;
  cancelled: string | null;
  mixed: string | number;
  customer: { id: string; address?: { city: string } };
  lines: { sku: string; count: number }[];
  limits: { in: number; max: number };
  gte: number;
}
type Payment =
  | { method: "card"; card: { last4: string } }
  | { method: "bank"; iban: string }
  | { method: "cash" };

declare function order(where: WhereInput<Order>): void;
declare function payment(where: WhereInput<Payment>): void;
declare function untyped(where: WhereInput): void;
// oxlint-disable-next-line typescript/no-explicit-any -- what an event without a schema has
declare function anything(where: WhereInput<any>): void;
declare function by(key: KeyInput<Order>): void;
declare function byPayment(key: KeyInput<Payment>): void;
declare function byUntyped(key: KeyInput): void;

order({});
order("data.amount > data.limit");
order({
  subject: "x",
  data: {
    country: "DE",
    amount: { gte: 100, lt: 500 },
    name: { prefix: "a" },
    tags: { has: "x" },
    kind: { in: ["a", "b"] },
    note: { exists: false },
  },
});
order({
  source: { glob: "shop/*" },
  id: { ne: "1" },
  type: { suffix: ".paid" },
  time: { gte: { time: "2026-01-01T00:00:00Z" } },
});
order({ attributes: { region: "eu", retries: { lt: 3 } } });
order({
  data: {
    paid: true,
    counts: { has: 3 },
    lines: { exists: true },
    at: { lt: { time: "2026-01-01T00:00:00Z" } },
  },
});
order({ data: { at: { eq: { time: "2026-01-01T00:00:00Z" } }, cancelled: null } });
order({ data: { cancelled: { eq: null }, note: "x", mixed: { in: ["x", 1] } } });
order({ data: { cancelled: { prefix: "x", ne: null }, mixed: { gt: 3, contains: "x" } } });
order({ data: { customer: { id: "1", address: { city: { in: ["Bonn"] } } } } });
order({ data: { customer: { exists: true }, limits: { max: { gt: 3 } }, gte: 5 } });
order({
  anyOf: [{ data: { paid: true } }, "data.amount > 3"],
  allOf: [{ subject: "x" }],
  not: { data: { kind: "a" } },
});
payment({ data: { method: "card", card: { last4: { suffix: "1" } }, iban: { prefix: "DE" } } });
untyped({ data: { any: { thing: { gte: 3 } }, list: { has: 1 } } });
anything({ data: { any: { thing: { gte: 3 } }, list: { has: 1 } } });

// @ts-expect-error no such field
order({ data: { county: "DE" } });
// @ts-expect-error no such attribute
order({ date: { country: "DE" } });
// @ts-expect-error a value of a wrong type
order({ data: { country: 5 } });
// @ts-expect-error a value that is not among the text's
order({ data: { kind: "c" } });
// @ts-expect-error a set with a value that is not among the text's
order({ data: { kind: { in: ["a", "c"] } } });
// @ts-expect-error no such operator
order({ data: { amount: { gtee: 3 } } });
// @ts-expect-error a text operator on a number
order({ data: { amount: { prefix: "1" } } });
// @ts-expect-error a number is not compared with a text
order({ data: { amount: { gt: "1" } } });
// @ts-expect-error a text is not compared with a number
order({ data: { name: { gt: 1 } } });
// @ts-expect-error booleans have no order
order({ data: { paid: { gt: false } } });
// @ts-expect-error a list is not equal to a value
order({ data: { tags: "x" } });
// @ts-expect-error the list holds texts
order({ data: { tags: { has: 5 } } });
// @ts-expect-error only lists have members
order({ data: { name: { has: "x" } } });
// @ts-expect-error the text is never null
order({ data: { country: null } });
// @ts-expect-error existence is a question
order({ data: { note: { exists: "no" } } });
// @ts-expect-error a wrong field deep inside
order({ data: { customer: { adress: { city: "x" } } } });
// @ts-expect-error a wrong type deep inside
order({ data: { customer: { address: { city: 5 } } } });
// @ts-expect-error a field that is named as an operator can't be told from it here
order({ data: { limits: { in: 3 } } });
// @ts-expect-error the event's time is compared with a time
order({ time: { gte: 5 } });
// @ts-expect-error the subject is a text
order({ subject: 5 });
// @ts-expect-error a wrong field within an alternative
order({ anyOf: [{ data: { county: "DE" } }] });
// @ts-expect-error a field of no variant
payment({ data: { bic: "x" } });

by("data.customer.id");
by("data.customer.address.city");
by("subject");
by("data.amount");
by("attributes.region");
by((e) => e.data.customer.id);
by((e) => e.data.customer.address.city);
by((e) => e.data.lines[0]!.sku);
by((e) => e.data.note);
by((e) => e.subject);
by({ cel: "data.country + data.name" });
byPayment((e) => e.data.card.last4);
byPayment("data.iban");
byUntyped("data.anything.at.all");
byUntyped((e) => e.subject);

// @ts-expect-error no such field
by("data.custmer.id");
// @ts-expect-error no scalar
by("data.customer");
// @ts-expect-error a list
by("data.tags");
// @ts-expect-error no such field
by((e) => e.data.custmer);
// @ts-expect-error no scalar
by((e) => e.data.customer);
// @ts-expect-error computed
by((e) => e.data.country.trim());
// @ts-expect-error computed
by((e) => e.data.amount + 1);
// @ts-expect-error the whole event
by((e) => e);
// @ts-expect-error a field of no variant
byPayment((e) => e.data.bic);

const invoice = z.object({
  id: z.string(),
  total: z.number().optional(),
  state: z.enum(["open", "paid"]),
  payer: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("person"), name: z.string() }),
    z.object({ kind: z.literal("company"), vat: z.string().nullable() }),
  ]),
  labels: z.record(z.string(), z.string()),
});
declare function invoiced(
  where: WhereInput<z.input<typeof invoice>>,
  key: KeyInput<z.input<typeof invoice>>,
): void;
invoiced(
  { data: { total: { gt: 3 }, state: "paid", payer: { kind: "company", vat: null } } },
  "data.payer.vat",
);
invoiced({ data: { labels: { region: { prefix: "eu" } } } }, (e) => e.data.payer.name);
// @ts-expect-error a value that the schema does not have
invoiced({ data: { state: "closed" } }, "data.id");
// @ts-expect-error a field of no variant
invoiced({ data: { payer: { iban: "x" } } }, "data.id");
// @ts-expect-error a path that the schema does not have
invoiced({}, "data.payer.iban");
