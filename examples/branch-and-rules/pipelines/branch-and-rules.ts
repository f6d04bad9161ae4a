/** Which part of the graph runs: a branch, a short circuit, and rules by which a node looks at its parents. */
import { branch, pipeline, shortCircuit, task, when } from "millrace";
import { z } from "zod";

const weigh = task("weigh", (input: { kilos: number }) => {
  if (input.kilos < 0) throw new Error("a parcel weighs something");
  return { kilos: input.kilos };
});

// A branch answers one or several of its choices. What hangs only on the others is skipped.
const carrier = branch("carrier", { choices: ["bike", "van"] }, (parcel: { kilos: number }) =>
  parcel.kilos <= 10 ? "bike" : "van",
);
const rideBike = task("ride-bike", () => "by bike");
const loadVan = task("load-van", () => "loaded");
const driveVan = task("drive-van", (cargo: string) => `by van, ${cargo}`);

const deliver = task(
  "deliver",
  (input: { bike: string | null; van: string | null }) => input.bike ?? input.van,
);

// A short circuit that answers false skips all that follows, whatever its rules.
const isHeavy = shortCircuit("is-heavy", (parcel: { kilos: number }) => parcel.kilos > 100);
const callCrane = task("call-crane", () => "crane");

const apologise = task("apologise", () => "sorry");
const closeBooks = task("close-books", () => "closed");

export const delivery = pipeline(
  "delivery",
  { params: z.object({ kilos: z.number().default(3) }) },
  ({ params }) => {
    const parcel = weigh({ kilos: params.kilos });
    const choice = carrier(parcel);
    const bike = when(choice, "bike", () => rideBike());
    const van = when(choice, "van", () => driveVan(loadVan()));

    // One of the two is skipped. `all_success` would skip this as well; the output of what was skipped is null.
    const delivered = deliver({ bike, van }, { rule: "none_failed_min_one_success" });

    callCrane(undefined, { after: isHeavy(parcel) });

    // Runs only if something failed, and at once; runs in any case, when all has ended.
    apologise(undefined, { after: [parcel, delivered], rule: "one_failed" });
    closeBooks(undefined, { after: delivered, rule: "all_done" });
    return delivered;
  },
);
