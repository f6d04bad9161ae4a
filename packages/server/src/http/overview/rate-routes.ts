import type { ApiContext } from "../api-context.ts";
import { overviewPauseMs } from "../limits.ts";
import type { Route } from "../route.ts";
import { Coalesced } from "./coalesced.ts";
import { rateStretches, SourcePace } from "./source-pace.ts";

export function rateRoutes(context: ApiContext): Route[] {
  const pace = new SourcePace(context.database);
  const shared = new Coalesced(() => pace.rates(context.host.engine.now()), context.clock, overviewPauseMs);
  return [
    {
      method: "GET",
      path: "/event-rates",
      summary: `How many events came in each of the last ${rateStretches} minutes, by source`,
      handle: () => shared.ask(),
    },
  ];
}
