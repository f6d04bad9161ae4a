/** Every bound of the worker, with its reason. Times are in ms. */
export const limits = {
  /** Log of one attempt: more than a person reads; the rest is counted and dropped. */
  logBytesMax: 10 * 1024 * 1024,
  logLinesMax: 100_000,
  /** A longer line is cut into several, so that one frame stays small. */
  logLineBytesMax: 16 * 1024,
  /** Lines wait this long for company. */
  logFlushMs: 50,
  logFrameBytesMax: 64 * 1024,
  /** Sent lines are kept for a reconnect: what can be lost in the sockets' buffers of a broken connection. */
  logKeptBytesMax: 1024 * 1024,
  /** Lines that a repeat of a function holds back until it is clear whether they are new. */
  heldLinesMax: 10_000,
  /** Past this much unsent data in the socket, lines wait in the attempt's own bounded buffer. */
  linkBufferedBytesMax: 4 * 1024 * 1024,

  /** A message from a child is small: large values go by file. */
  childMessageBytesMax: 4 * 1024 * 1024,
  /** Node starts in about 40 ms; a machine under load takes its time. */
  childStartMs: 30_000,
  /** Importing a bundle; the loader of a deploy allows 10 s. */
  bundleLoadMs: 30_000,
  /** After its result, a child may end what it left open within this time, and is kept. */
  settleMs: 250,
  /** What is sent to a stopping child's process group after this time is SIGKILL. */
  childEndMs: 1_000,
  /** Starts of children that failed one after the other before waiting attempts are given back. */
  childStartFailuresMax: 3,
  /** A child above this multiple of its heap bound is killed while it runs: native memory is not in V8's bound. */
  residentFactorMax: 4,
  memoryCheckMs: 1_000,
  /** Error texts are for people. */
  errorTextMax: 64 * 1024,
  /** Of an error that a step recorded: it travels with each dispatch. */
  recordedTextMax: 4 * 1024,

  /** JSON text of one condition, title or form that is waited with, in characters, and of all waits of an attempt. */
  waitTextMax: 64 * 1024,
  waitsTextMax: 1024 * 1024,
  /** Turns of the event loop without a call before an attempt that only waits is suspended. */
  quietTurns: 3,
  /** A timer, a socket or a file that the function has under way beside its waits gets this long since its last call. */
  suspendHoldMs: 5_000,
  /** The same, before a recorded result overtakes one that was committed before it and is not asked for. */
  replayHoldMs: 1_000,
  quietPollMs: 5,
  /** How long a function may take to come to its waits once more. */
  replayCheckMs: 10_000,
  /** A rehearsal, with the time until a process is free. */
  rehearsalMs: 25_000,
  /** Steps in one frame: each is 16 KiB and its events. */
  stepsPerFrameMax: 100,

  /** Attempts that wait for a child: more means that the server ignores `slots`. */
  waitingMax: 10_000,
  /** Results that the server has not acknowledged. */
  unackedMax: 20_000,
  /** Tokens of acknowledged results, to recognise a dispatch that comes twice. */
  rememberedTokensMax: 10_000,

  /** Tokens in one heartbeat: about 100 kB each 2.5 s. A worker that holds more names nothing. */
  heartbeatTokensMax: 1_000,

  reconnectBaseMs: 50,
  reconnectMaxMs: 5_000,
  handshakeMs: 10_000,
  /** A frame holds at most 256 dispatches with inline values of 16 KiB each, twice (input and parameters). */
  frameBytesMax: 16 * 1024 * 1024,

  /** Transfers of bundles and blobs are repeated this long. */
  transferMs: 60_000,
  bundleBytesMax: 256 * 1024 * 1024,
  /** Values of one attempt's records that are fetched at once. */
  fetchesMax: 16,
  artifactBytesMax: 100 * 1024 * 1024,
  blobCacheBytesMax: 1024 * 1024 * 1024,
  bundleCacheMax: 20,
} as const;
