/** One question: who asks, what it is about, until when; the form that answers it, or who answered. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { ApprovalView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Ago, Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { AnswerForm } from "./answer-form.tsx";
import { Consequences } from "./consequences.tsx";
import { Left } from "./left.tsx";
import { titleOf, Verdict } from "./verdict.tsx";

export function Approval({ id }: { readonly id: string }) {
  const { data, error } = useQuery({
    ...one("approvals", `/approvals/${encodeURIComponent(id)}`),
    retry: false,
  });
  return (
    <aside aria-label={data ? titleOf(data) : id}>
      <div className="head">
        <h2 className="words">{data ? titleOf(data) : id}</h2>
        <Link to="/approvals" search={({ id: _id, ...rest }) => rest} aria-label="Close">
          ✕
        </Link>
      </div>
      {error && <Trouble error={error} />}
      {data && <Question approval={data} />}
    </aside>
  );
}

/** Whether somebody else was first: while one looked at it, or with the very answer that one gave. */
type Beaten = "looking" | "answering";

function Question({ approval }: { readonly approval: ApprovalView }) {
  const { since, run, pipeline, node, item, by, timeoutAt, details, state } = approval;
  const [isBeaten, setBeaten] = useState(false);
  const [isMine, setMine] = useState(false);
  const wasOpen = useRef(state === "open");
  const isOpen = state === "open";
  const beaten: Beaten | undefined =
    isOpen || isMine ? undefined : isBeaten ? "answering" : wasOpen.current ? "looking" : undefined;
  return (
    <>
      <p className="sentence">
        Asked <Ago at={since} /> by{" "}
        <Link to="/runs/$run" params={{ run }} search={item === "" ? { node } : { node, item }}>
          {pipeline} {item === "" ? node : `${node}[${item}]`}
        </Link>
        {by !== undefined && `, of ${by.join(" or ")}`}
        {timeoutAt !== undefined && (
          <>
            {isOpen ? "; an answer counts until " : "; an answer counted until "}
            <Clock at={timeoutAt} />
            {isOpen && (
              <>
                {" "}
                (<Left until={timeoutAt} />)
              </>
            )}
          </>
        )}
        .
      </p>
      {details !== undefined && (
        <section>
          <h3>What it is about</h3>
          <JsonTree value={details} />
        </section>
      )}
      {isOpen && (
        <section>
          <h3>What follows</h3>
          <Consequences approval={approval} />
        </section>
      )}
      <section>
        {isOpen ? (
          <AnswerForm approval={approval} onBeaten={() => setBeaten(true)} onAnswered={() => setMine(true)} />
        ) : (
          <Answered approval={approval} beaten={beaten} />
        )}
      </section>
    </>
  );
}

interface AnsweredProps {
  readonly approval: ApprovalView;
  readonly beaten: Beaten | undefined;
}

function Answered({ approval: { answer, timeoutAt }, beaten }: AnsweredProps) {
  if (!answer)
    return (
      <p className={beaten === undefined ? undefined : "note warn"}>
        It ended without an answer:{" "}
        {timeoutAt !== undefined && Date.parse(timeoutAt) <= Date.now()
          ? "its time was over."
          : "its node or its run ended before."}
      </p>
    );
  return (
    <>
      {beaten !== undefined && (
        <p className="note warn" role="alert">
          {beaten === "answering"
            ? `${answer.by} was first: your answer does not count, and nothing came of it.`
            : `${answer.by} answered while you looked at it.`}
        </p>
      )}
      <p>
        <Verdict isYes={answer.approved} /> by <strong>{answer.by}</strong> at <Clock at={answer.at} />
        {answer.note === undefined ? "." : <>: {answer.note}</>}
      </p>
      {answer.form !== undefined && <JsonTree value={answer.form} name="entered" />}
    </>
  );
}
