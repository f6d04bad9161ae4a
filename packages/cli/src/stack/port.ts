import { createServer } from "node:net";
import { MillraceError } from "@millrace/core";

/** Whether a port can be listened on now. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(portError(host, port, error));
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

export function portTaken(host: string, port: number): MillraceError {
  return new MillraceError("MILLRACE_PORT_TAKEN", {
    message: `Another program listens on ${host}:${port}.`,
    fields: { host, port },
  });
}

function portError(host: string, port: number, cause: NodeJS.ErrnoException): MillraceError {
  return new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `Can't listen on ${host}:${port}: ${cause.message}.`,
    advice: "Choose an address of this machine and a port that this user may open.",
    cause,
  });
}
