import type { ApprovalView } from "@millrace/protocol";

export function Verdict({ isYes }: { readonly isYes: boolean }) {
  return (
    <span className={isYes ? "state good" : "state off"}>
      <span className="mark" aria-hidden="true">
        {isYes ? "●" : "⊘"}
      </span>
      {isYes ? "approved" : "rejected"}
    </span>
  );
}

export function titleOf({ title, pipeline, node }: ApprovalView): string {
  return title ?? `${pipeline} ${node}`;
}
