/** SQL states with which a server ends or refuses a connection for reasons of its own. */
const lossStates: ReadonlySet<string> = new Set([
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: starting, stopping or recovering
  "57P05", // idle_session_timeout
  "25P03", // idle_in_transaction_session_timeout: the session is ended
  "53300", // too_many_connections
]);

const lossCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ENOENT", // the socket's file is missing: the server is down
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** The driver's own errors carry no code. */
const lossMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|timeout exceeded when trying to connect|This socket has been ended)/;

/**
 * Whether an error means that the connection was lost or the server can't be reached now, so that the same work may
 * succeed on a new connection. The outcome of a commit in flight is then unknown.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code !== undefined && (lossStates.has(code) || lossCodes.has(code) || /^08...$/.test(code)))
    return true;
  if (lossMessages.test(error.message)) return true;
  if (error instanceof AggregateError) return error.errors.some(isConnectionLoss);
  return error.cause !== undefined && isConnectionLoss(error.cause);
}
