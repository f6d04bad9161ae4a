/** What people are asked, and what they answered. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback } from "react";
import type { ApprovalView } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { Download } from "../../parts/download.tsx";
import { firstApproval } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { countOf } from "../../parts/number-text.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import "../../styles/approvals.css";
import { Approval } from "./approval.tsx";
import { answersCsv } from "./answers-csv.ts";
import { Left } from "./left.tsx";
import { titleOf, Verdict } from "./verdict.tsx";

const route = getRouteApi("/approvals");

const pipelineColumn: Column<ApprovalView> = {
  name: "asked by",
  width: "minmax(100px, 1fr)",
  cell: ({ run, pipeline, node, item }) => (
    <Link to="/runs/$run" params={{ run }} search={item === "" ? { node } : { node, item }}>
      {pipeline} {item === "" ? node : `${node}[${item}]`}
    </Link>
  ),
};

const openColumns: readonly Column<ApprovalView>[] = [
  { name: "question", width: "minmax(140px, 2fr)", cell: questionLink },
  pipelineColumn,
  {
    name: "of",
    width: "minmax(64px, 0.6fr)",
    cell: ({ by }) => <span className="quiet">{by?.join(", ") ?? "anybody"}</span>,
  },
  { name: "asked", width: "84px", isNumber: true, cell: ({ since }) => <Ago at={since} /> },
  {
    name: "ends",
    width: "84px",
    isNumber: true,
    cell: ({ timeoutAt }) =>
      timeoutAt === undefined ? <span className="quiet">never</span> : <Left until={timeoutAt} />,
  },
];

const answeredColumns: readonly Column<ApprovalView>[] = [
  {
    name: "answer",
    width: "96px",
    cell: ({ answer }) => <Verdict isYes={answer?.approved === true} />,
  },
  { name: "question", width: "minmax(120px, 2fr)", cell: questionLink },
  pipelineColumn,
  { name: "by", width: "minmax(56px, 0.6fr)", cell: ({ answer }) => answer?.by },
  {
    name: "note",
    width: "minmax(70px, 1.4fr)",
    cell: ({ answer }) => <span className="quiet">{answer?.note}</span>,
  },
  { name: "answered", width: "84px", isNumber: true, cell: ({ answer }) => answer && <Ago at={answer.at} /> },
];

function questionLink(approval: ApprovalView) {
  return (
    <Link to="/approvals" search={(before) => ({ ...before, id: approval.id })} replace>
      {titleOf(approval)}
    </Link>
  );
}

export function Approvals() {
  const { tab, id } = route.useSearch();
  const navigate = route.useNavigate();
  const isAnswered = tab === "answered";
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useInfiniteQuery(list("approvals", "/approvals", { state: isAnswered ? "answered" : "open" }));
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <div className="page fills">
      <Head title="Approvals" name="Approvals">
        {sentenceOf(isAnswered, data, hasNextPage)}{" "}
        {isAnswered && data && data.length > 0 && (
          <Download name="answers.csv" type="text/csv" text={() => answersCsv(data)}>
            as CSV
          </Download>
        )}
      </Head>
      <nav className="tabs" aria-label="Which approvals">
        {(["open", "answered"] as const).map((one) => (
          <Link
            key={one}
            to="/approvals"
            search={one === "open" ? {} : { tab: one }}
            activeProps={{}}
            className={(one === "answered") === isAnswered ? "active" : undefined}
            aria-current={(one === "answered") === isAnswered ? "page" : undefined}
          >
            {one === "open" ? "Open" : "Answered"}
          </Link>
        ))}
      </nav>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : isPending ? (
        <p className="quiet">Reading…</p>
      ) : (
        <div className={id === undefined ? "split" : "split open"}>
          <Table
            label={isAnswered ? "Answered approvals" : "Open approvals"}
            rows={data}
            columns={isAnswered ? answeredColumns : openColumns}
            keyOf={(approval) => approval.id}
            selected={id}
            onOpen={(approval) =>
              void navigate({ search: (before) => ({ ...before, id: approval.id }), replace: true })
            }
            onEnd={onEnd}
            empty={isAnswered ? <p>Nobody has answered anything yet.</p> : <NoApprovals />}
          />
          {id !== undefined && <Approval id={id} key={id} />}
        </div>
      )}
    </div>
  );
}

function sentenceOf(
  isAnswered: boolean,
  data: readonly ApprovalView[] | undefined,
  hasMore: boolean,
): string {
  if (isAnswered) return "Who answered what, newest first.";
  if (data === undefined) return "";
  if (data.length === 0) return "Nobody is asked for anything.";
  return `${countOf({ count: data.length, ...(hasMore ? { isMore: true as const } : {}) }, "question waits", "questions wait")} for a person, the oldest first.`;
}

function NoApprovals() {
  return (
    <>
      <p>
        Nobody is asked for anything. A pipeline asks with a node that waits for a person, and holds no worker
        meanwhile:
      </p>
      <Code text={firstApproval} />
    </>
  );
}
