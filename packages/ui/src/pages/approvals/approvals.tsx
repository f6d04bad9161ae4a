/** What people are asked, and what they answered. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback } from "react";
import type { ApprovalView } from "@millrace/protocol";
import { list, one } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstApproval } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { countOf } from "../../parts/number-text.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago, Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import "../../styles/approvals.css";
import { AnswerForm } from "./answer-form.tsx";

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
      timeoutAt === undefined ? <span className="quiet">never</span> : <Ago at={timeoutAt} />,
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

function Verdict({ isYes }: { readonly isYes: boolean }) {
  return (
    <span className={isYes ? "state good" : "state off"}>
      <span className="mark" aria-hidden="true">
        {isYes ? "●" : "⊘"}
      </span>
      {isYes ? "approved" : "rejected"}
    </span>
  );
}

function titleOf({ title, pipeline, node }: ApprovalView): string {
  return title ?? `${pipeline} ${node}`;
}

export function Approvals() {
  const { tab, id } = route.useSearch();
  const navigate = route.useNavigate();
  const isAnswered = tab === "answered";
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useInfiniteQuery(
      list<ApprovalView>("approvals", "/approvals", { state: isAnswered ? "answered" : "open" }),
    );
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <div className="page fills">
      <Head title="Approvals" name="Approvals">
        {sentenceOf(isAnswered, data, hasNextPage)}
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

function Approval({ id }: { readonly id: string }) {
  const { data, error } = useQuery(one<ApprovalView>("approvals", `/approvals/${encodeURIComponent(id)}`));
  return (
    <aside aria-label={data ? titleOf(data) : id}>
      <div className="head">
        <h2 className="words">{data ? titleOf(data) : id}</h2>
        <Link to="/approvals" search={({ id: _id, ...rest }) => rest} aria-label="Close">
          ✕
        </Link>
      </div>
      {error && <Trouble error={error} />}
      {data && (
        <>
          <p className="sentence">
            Asked <Ago at={data.since} /> by{" "}
            <Link
              to="/runs/$run"
              params={{ run: data.run }}
              search={data.item === "" ? { node: data.node } : { node: data.node, item: data.item }}
            >
              {data.pipeline} {data.item === "" ? data.node : `${data.node}[${data.item}]`}
            </Link>
            {data.by !== undefined && `, of ${data.by.join(" or ")}`}
            {data.timeoutAt !== undefined && (
              <>
                {"; an answer counts until "}
                <Clock at={data.timeoutAt} />
              </>
            )}
            .
          </p>
          {data.details !== undefined && (
            <section>
              <h3>What it is about</h3>
              <JsonTree value={data.details} />
            </section>
          )}
          <section>
            {data.state === "open" ? <AnswerForm approval={data} /> : <Answered approval={data} />}
          </section>
        </>
      )}
    </aside>
  );
}

function Answered({ approval: { answer } }: { readonly approval: ApprovalView }) {
  if (!answer) return <p>It ended without an answer: its time was over, or its run ended.</p>;
  return (
    <>
      <p>
        <Verdict isYes={answer.approved} /> by <strong>{answer.by}</strong> at <Clock at={answer.at} />
        {answer.note === undefined ? "." : <>: {answer.note}</>}
      </p>
      {answer.form !== undefined && <JsonTree value={answer.form} name="entered" />}
    </>
  );
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
