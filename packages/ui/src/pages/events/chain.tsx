/** Causes and effects of an event: what it comes of, back to the outside, and what came of it. */
import { Link } from "@tanstack/react-router";
import type { ChainEvent, ChainRun, EventCauses, EventChain, EventEffect } from "@millrace/protocol";
import { State } from "../../parts/state.tsx";
import { Clock } from "../../parts/time.tsx";

export function Chain({ chain }: { readonly chain: EventChain }) {
  const { causes, effects, effectsAreMore, isCut } = chain;
  return (
    <>
      <section aria-label="What it comes of">
        <h3>What it comes of</h3>
        {causes ? (
          <ul className="chain">
            <Causes causes={causes} />
          </ul>
        ) : (
          <p className="quiet">It came from outside, from {chain.event.source}.</p>
        )}
      </section>
      <section aria-label="What came of it">
        <h3>What came of it</h3>
        {effects.length === 0 ? (
          <p className="quiet">No trigger fired with it.</p>
        ) : (
          <ul className="chain">
            {effects.map((effect) => (
              <Effect key={effect.firing.id + effect.firing.pipeline} effect={effect} />
            ))}
            {effectsAreMore && <li className="quiet">… and others</li>}
          </ul>
        )}
        {isCut && <p className="quiet">It goes on beyond what is followed here: open an entry of it.</p>}
      </section>
    </>
  );
}

function Causes({ causes: { run, node } }: { readonly causes: EventCauses }) {
  return (
    <li>
      {node === undefined ? (
        "run "
      ) : (
        <>
          <Link to="/runs/$run" params={{ run: run.id }} search={{ node }}>
            {node}
          </Link>{" "}
          of run{" "}
        </>
      )}
      <RunName run={run} />
      <ul>
        <Began run={run} />
      </ul>
    </li>
  );
}

function RunName({ run: { id, pipeline, state } }: { readonly run: ChainRun }) {
  return (
    <>
      <Link to="/runs/$run" params={{ run: id }} className="mono">
        {id}
      </Link>
      {pipeline !== undefined && (
        <>
          {" "}
          of{" "}
          <Link to="/pipelines/$pipeline" params={{ pipeline }}>
            {pipeline}
          </Link>
        </>
      )}{" "}
      {state !== undefined && <State state={state} />}
    </>
  );
}

function Began({ run: { firing, parent } }: { readonly run: ChainRun }) {
  if (firing) {
    const { pipeline, at, memberCount, members } = firing;
    return (
      <li>
        because its{" "}
        <Link to="/triggers/$pipeline" params={{ pipeline }}>
          trigger
        </Link>{" "}
        fired at <Clock at={at} />
        <ul>
          {members.map((member) => (
            <li key={member.position}>
              <EventName event={member} />
              {member.causes && (
                <ul>
                  <Causes causes={member.causes} />
                </ul>
              )}
            </li>
          ))}
          {memberCount > members.length && (
            <li className="quiet">… of {memberCount === 1 ? "one member" : `${memberCount} members`}</li>
          )}
        </ul>
      </li>
    );
  }
  if (parent !== undefined)
    return (
      <li>
        called by run{" "}
        <Link to="/runs/$run" params={{ run: parent }} className="mono">
          {parent}
        </Link>
      </li>
    );
  return <li className="quiet">somebody started it</li>;
}

function EventName({ event: { position, type, subject } }: { readonly event: ChainEvent }) {
  return (
    <Link to="/events" search={(before) => ({ ...before, event: String(position) })}>
      {type}
      {subject === undefined ? "" : ` ${subject}`} <span className="quiet">{position}</span>
    </Link>
  );
}

function Effect({ effect: { firing, run, events, more } }: { readonly effect: EventEffect }) {
  const { pipeline, key, memberCount, state, at, reason } = firing;
  return (
    <li>
      the trigger of{" "}
      <Link
        to="/triggers/$pipeline"
        params={{ pipeline }}
        search={{ ...(key === undefined ? {} : { key }), at: String(firing.position) }}
      >
        {pipeline}
      </Link>{" "}
      fired at <Clock at={at} />
      {memberCount > 1 && (
        <span className="quiet"> with {memberCount === 2 ? "one other" : `${memberCount - 1} others`}</span>
      )}
      <ul>
        {run === undefined ? (
          <li className={state === "refused" ? "bad-text" : "quiet"}>
            {state === "refused" ? `no run: ${reason?.message ?? ""}` : state}
          </li>
        ) : (
          <li>
            {state === "started" ? "run " : `${state}: run `}
            <Link to="/runs/$run" params={{ run: run.id }} className="mono">
              {run.id}
            </Link>{" "}
            {run.state !== undefined && <State state={run.state} />}
            {events.length > 0 && (
              <ul>
                {events.map((event) => (
                  <li key={event.position}>
                    <EventName event={event} />
                    {event.effects.length > 0 && (
                      <ul>
                        {event.effects.map((inner) => (
                          <Effect key={inner.firing.id + inner.firing.pipeline} effect={inner} />
                        ))}
                      </ul>
                    )}
                  </li>
                ))}
                {more && <li className="quiet">… and others</li>}
              </ul>
            )}
          </li>
        )}
      </ul>
    </li>
  );
}
