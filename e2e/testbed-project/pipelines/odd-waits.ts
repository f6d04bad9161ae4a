/** Odd waits and conditions: several at once, repeated, nested, late. */
import { on, pipeline, task, wait } from "millrace";

const is = <Type extends string>(type: Type) => on.event(`odd.${type}` as const);

const severalWaits = task("several-waits", async (_input: void, ctx) => {
  const [a, b] = await Promise.all([ctx.waitFor(is("a")), ctx.waitFor(is("b")), ctx.sleep("50ms")]);
  return [a?.members["odd.a"].map(({ id }) => id), b?.members["odd.b"].map(({ id }) => id)];
});
export const several = pipeline("several", () => severalWaits());

const firstWait = task("first-wait", async (_input: void, ctx) => {
  const never = ctx.waitFor(is("never"), { timeout: "10m" }).then(() => "never");
  const soon = ctx.sleep("100ms").then(() => "soon");
  const first = await Promise.race([never, soon]);
  const any = await Promise.any([never, ctx.waitFor(is("any")).then(() => "any")]);
  return [first, any];
});
export const racing = pipeline("racing", () => firstWait());

const repeatedWaits = task("repeated-waits", async (_input: void, ctx) => {
  const ids: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const fired = await ctx.waitFor(is("tick"));
    ids.push(...(fired?.members["odd.tick"] ?? []).map(({ id }) => id));
  }
  await ctx.sleepUntil(new Date(0));
  return ids;
});
export const repeated = pipeline("repeated", () => repeatedWaits());

const twice = task("same-twice", async (_input: void, ctx) => {
  const [one, two] = await Promise.all([ctx.waitFor(is("same")), ctx.waitFor(is("same"))]);
  const late = await ctx.waitFor(is("same"), { timeout: "100ms" });
  return [one, two, late].map((fired) => fired?.members["odd.same"].map(({ id }) => id) ?? null);
});
export const same = pipeline("same", () => twice());

const told = task("told-waits", (input: { both: object; counted: object }) =>
  [input.both, input.counted].map((members) =>
    Object.entries(members as { [name: string]: { id?: string }[] }).map(([name, list]) => [
      name,
      list.map(({ id }) => id ?? "time"),
    ]),
  ),
);
/** Two nodes wait for the same events, and one for several. */
export const graphWaits = pipeline("graph-waits", () => {
  const both = wait(on.all([is("left"), on.any([is("right"), is("wrong")])]), { id: "both" });
  const counted = wait(on.count(is("left"), 2), { id: "counted" });
  return told({ both: both.members, counted: counted.members });
});
/** Nothing comes: that is what it waits for. */
export const silent = pipeline("silent", () =>
  told({
    both: wait(on.absent(is("noise"), { within: "200ms" }), { id: "quiet" }).members,
    counted: {},
  }),
);

const see = task("see-odd", (firing: { key: string | null; members: object }) => ({
  key: firing.key,
  members: Object.fromEntries(
    Object.entries(firing.members as { [name: string]: { id?: string }[] }).map(([name, list]) => [
      name,
      list.map(({ id }) => id ?? "time"),
    ]),
  ),
}));

export const nested = pipeline(
  "nested",
  {
    on: on
      .all(
        [
          on.count(is("nested.try").as("tries"), 2),
          on.unless(is("nested.ask").as("asks"), is("nested.stop"), { within: "1h" }),
        ],
        { within: "1h" },
      )
      .by("subject"),
  },
  ({ firing }) => see(firing),
);
/** A key whose session ends while others go on; and one that only just begins. */
export const sessions = pipeline(
  "sessions",
  { on: on.session(is("page").as("pages"), { gap: "1s", max: "2s" }).by("data.user") },
  ({ firing }) => see(firing),
);
export const ordered = pipeline(
  "ordered",
  { on: on.sequence([is("one").as("one"), is("two").as("two"), is("one").as("again")]).by("subject") },
  ({ firing }) => see(firing),
);
/** Itself an operand of two. */
export const overlapping = pipeline(
  "overlapping",
  { on: on.atLeast(2, [is("over.*").as("all"), is("over.a").as("some"), is("over.b").as("others")]) },
  ({ firing }) => see(firing),
);
