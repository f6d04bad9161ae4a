/** Sends an event by hand: with a form where its type is declared, under an id of its own, and told before what it would do. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { CloudEvent, Json } from "@millrace/core";
import type { EventPreviewRequest, EventReceipt, EventTypeView } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { one } from "../../api/queries.ts";
import { Ask } from "../../parts/ask.tsx";
import { defaultsOf, emptyForm, formJson, SchemaForm, type FormValue } from "../../parts/schema-form.tsx";
import { Decisions } from "./decisions.tsx";

const settleMs = 400;

interface Draft {
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly form: FormValue;
}

function draftOf(like: CloudEvent | undefined): Draft {
  const data = like?.data;
  const text = data === undefined ? "" : JSON.stringify(data, undefined, 2);
  return {
    type: like?.type.startsWith("millrace.") ? "" : (like?.type ?? ""),
    source: like === undefined || like.source === "millrace" ? "/page" : like.source,
    // The name under which it is recorded once, however often it is sent.
    id: crypto.randomUUID(),
    subject: like?.subject ?? "",
    text,
    form: text === "" ? emptyForm : { fields: {}, text },
  };
}

interface SendEventProps {
  readonly name: string;
  readonly like?: CloudEvent;
  readonly isMain?: boolean;
}

export function SendEvent({ name, like, isMain = false }: SendEventProps) {
  const [draft, setDraft] = useState(() => draftOf(like));
  const navigate = useNavigate();
  const types = useQuery(one("definition", "/event-types")).data?.items ?? [];
  const declared = types.find(({ type }) => type === draft.type.trim());
  return (
    <Ask
      name={name}
      title="Send an event"
      confirm="Send it"
      isMain={isMain}
      changes={["triggers", "events"]}
      act={() => post("/events", eventOf(draft, declared)) as Promise<EventReceipt>}
      onDone={({ position }) => {
        setDraft(draftOf(like));
        if (position !== undefined) void navigate({ to: "/events", search: { event: String(position) } });
      }}
    >
      <Fields draft={draft} onChange={setDraft} types={types} declared={declared} />
    </Ask>
  );
}

/** Throws where the data is no JSON. What the form shows as a default is put in: events are recorded as they are sent. */
function eventOf(
  { type, source, id, subject, text, form }: Draft,
  declared: EventTypeView | undefined,
): Json {
  const data = declared ? formData(declared, form) : readData(text);
  return {
    specversion: "1.0",
    id: id.trim(),
    source: source.trim(),
    type: type.trim(),
    ...(subject.trim() === "" ? {} : { subject: subject.trim() }),
    ...(data === undefined ? {} : { data }),
  };
}

function formData({ schema }: EventTypeView, form: FormValue): Json {
  const given = formJson(schema, form);
  if (form.text !== undefined) return given;
  // Fields make an object.
  return { ...defaultsOf(schema), ...(given as { readonly [name: string]: Json }) };
}

function readData(text: string): Json | undefined {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new Error(`The data is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

interface FieldsProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly types: readonly EventTypeView[];
  readonly declared: EventTypeView | undefined;
}

function Fields({ draft, onChange, types, declared }: FieldsProps) {
  const text = (name: "type" | "source" | "id" | "subject", hint: string) => (
    <label>
      <span>{name}</span>
      <input
        className="field mono"
        name={name}
        required={name !== "subject"}
        {...(name === "type" ? { list: "event-types", autoFocus: true } : {})}
        placeholder={hint}
        value={draft[name]}
        onChange={({ target }) => onChange({ ...draft, [name]: target.value })}
      />
      {name === "id" && <small className="quiet">Sent twice under one id, it is recorded once.</small>}
    </label>
  );
  return (
    <>
      <div className="form">
        {text("type", "order.paid")}
        {text("subject", "none")}
        {text("source", "/page")}
        {text("id", "")}
        <datalist id="event-types">
          {types.map(({ type }) => (
            <option key={type} value={type} />
          ))}
        </datalist>
        {!declared && (
          <label>
            <span>data</span>
            <textarea
              className="field mono"
              name="data"
              rows={6}
              spellCheck={false}
              placeholder={'{"orderId": "7"}'}
              value={draft.text}
              onChange={({ target }) => onChange({ ...draft, text: target.value })}
            />
          </label>
        )}
      </div>
      {declared && (
        <SchemaForm
          schema={declared.schema}
          value={draft.form}
          onChange={(form) => onChange({ ...draft, form })}
        />
      )}
      <WhatItWouldDo draft={draft} declared={declared} />
    </>
  );
}

function WhatItWouldDo({
  draft,
  declared,
}: {
  readonly draft: Draft;
  readonly declared: EventTypeView | undefined;
}) {
  const [event, fault] = safeEvent(draft, declared);
  const written = JSON.stringify(event);
  const settled = useSettled(written);
  const isReady = draft.type.trim() !== "" && draft.source.trim() !== "" && draft.id.trim() !== "";
  const { data, error } = useQuery({
    queryKey: ["event-preview", settled],
    queryFn: () => post("/events/preview", { event: JSON.parse(settled) as EventPreviewRequest["event"] }),
    enabled: isReady && fault === undefined && settled === written,
    retry: false,
  });
  if (fault !== undefined) return <p className="bad-text">{fault}</p>;
  if (!isReady) return null;
  return (
    <section aria-label="What it would do" className="would">
      <h3>What it would do</h3>
      {error && <p className="bad-text">{error.message}</p>}
      {data?.position !== undefined && (
        <p className="warn-text">
          Entry {data.position} of the log has this source and id: it would be a repeat, and change nothing.
        </p>
      )}
      {data?.invalid !== undefined && (
        <p className="bad-text">It would be kept, and fire nothing: {data.invalid}</p>
      )}
      {data && data.invalid === undefined && <Decisions told={data} />}
    </section>
  );
}

function safeEvent(
  draft: Draft,
  declared: EventTypeView | undefined,
): readonly [event: Json, fault: string | undefined] {
  try {
    return [eventOf(draft, declared), undefined];
  } catch (error) {
    return [null, error instanceof Error ? error.message : String(error)];
  }
}

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), settleMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
