import { deployRequest, rollbackRequest, type DeployRequest, type RollbackRequest } from "@millrace/protocol";
import type { ApiContext } from "./api-context.ts";
import { deploy, rollBack } from "./deploy.ts";
import { largeBodyBytesMax } from "./limits.ts";
import type { Route } from "./route.ts";

export function deploymentRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "POST",
      path: "/deployments",
      summary: "Replaces a project's definitions",
      body: deployRequest,
      bodyBytesMax: largeBodyBytesMax,
      handle: (request) => deploy(context, request.body as DeployRequest),
    },
    {
      method: "POST",
      path: "/deployments/rollback",
      summary: "Makes an earlier deployment the active one",
      body: rollbackRequest,
      handle: (request) => rollBack(context, request.body as RollbackRequest),
    },
  ];
}
