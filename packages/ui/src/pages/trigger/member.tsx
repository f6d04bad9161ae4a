/** What satisfied an operand: an event, or a span of time. */
import { Link } from "@tanstack/react-router";
import type { FiringMemberView } from "@millrace/protocol";
import { Clock } from "../../parts/time.tsx";

export function Member({
  member,
  hasOperand = false,
}: {
  readonly member: FiringMemberView;
  readonly hasOperand?: boolean;
}) {
  const { operand, position, event, recordedAt, from, at } = member;
  return (
    <>
      {hasOperand && <span className="quiet">{operand} </span>}
      {position === undefined ? (
        <>
          {from !== undefined && from !== at && (
            <>
              <Clock at={from} /> –{" "}
            </>
          )}
          {at !== undefined && <Clock at={at} />}
        </>
      ) : (
        <>
          <Link to="/events" search={{ event: String(position) }}>
            {event
              ? `${event.type}${event.subject === undefined ? "" : ` ${event.subject}`}`
              : `event ${position}`}
          </Link>{" "}
          <span className="quiet">
            {event ? `at position ${position}` : "no longer in the log"}
            {recordedAt !== undefined && (
              <>
                , <Clock at={recordedAt} />
              </>
            )}
          </span>
        </>
      )}
    </>
  );
}
