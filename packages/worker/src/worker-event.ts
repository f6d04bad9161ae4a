import type { DispatchToken } from "@millrace/protocol";

/** What a worker tells who started it. For people and metrics: nothing has to be done about it. */
export type WorkerEvent =
  | { readonly kind: "connected"; readonly url: string }
  | { readonly kind: "disconnected"; readonly reason: string; readonly retryInMs: number | undefined }
  /** The server refuses this worker for good; it stops. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  /** W4: away longer than the lease, so what ran was killed. */
  | { readonly kind: "lease_lost"; readonly attempts: number }
  | { readonly kind: "attempt_started"; readonly token: DispatchToken }
  | {
      readonly kind: "attempt_ended";
      readonly token: DispatchToken;
      readonly outcome: string;
      readonly code?: string;
    }
  | { readonly kind: "child_started"; readonly pid: number }
  | { readonly kind: "child_ended"; readonly pid: number; readonly reason: string }
  | { readonly kind: "child_start_failed"; readonly message: string }
  | { readonly kind: "frame_ignored"; readonly reason: string }
  | { readonly kind: "transfer_failed"; readonly what: string; readonly message: string };
