import { operations } from "@millrace/protocol/operations";
import type { ApiContext } from "../api-context.ts";
import { overviewPauseMs } from "../limits.ts";
import { route, type Route } from "../route.ts";
import { Coalesced } from "./coalesced.ts";
import { SourcePace } from "./source-pace.ts";

export function rateRoutes(context: ApiContext): Route[] {
  const pace = new SourcePace(context.database);
  const shared = new Coalesced(() => pace.rates(context.host.engine.now()), context.clock, overviewPauseMs);
  return [route(operations.listEventRates, () => shared.ask())];
}
