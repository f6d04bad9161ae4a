/** Answers an approval: what its form asks for, a note, and who one is. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useMemo, useState } from "react";
import type { AnswerRequest, ApprovalView } from "@millrace/protocol";
import { ApiError, post } from "../../api/client.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { Field } from "./field.tsx";
import { faultsOf, fieldsOf, initially, keyOf, read, type Entered } from "./form-fields.ts";
import { person, keepPerson } from "./person.ts";

const noFaults: Entered = {};

interface AnswerFormProps {
  readonly approval: ApprovalView;
  /** Somebody else was first. */
  readonly onBeaten: () => void;
  readonly onAnswered: () => void;
}

export function AnswerForm({ approval, onBeaten, onAnswered }: AnswerFormProps) {
  const fields = useMemo(() => (approval.form === undefined ? [] : fieldsOf(approval.form)), [approval.form]);
  const [entered, setEntered] = useState<Entered>(() => initially(fields));
  const [faults, setFaults] = useState<Entered>(noFaults);
  const [note, setNote] = useState("");
  const [by, setBy] = useState(() => firstPerson(approval));
  const queries = useQueryClient();
  const { mutate, error, isPending, variables } = useMutation({
    mutationFn: (request: AnswerRequest) => post(`/approvals/${encodeURIComponent(approval.id)}`, request),
    onSuccess: () => {
      keepPerson(by);
      onAnswered();
      for (const about of ["approvals", "overview", "waits", "run"])
        void queries.invalidateQueries({ queryKey: [about] });
    },
    onError: (failure) => {
      if (isBeaten(failure)) {
        onBeaten();
        for (const about of ["approvals", "overview", "waits", "run"])
          void queries.invalidateQueries({ queryKey: [about] });
      }
      const { faults: found } = faultsOf(fields, issuesOf(failure));
      setFaults(found);
      focusFirst(found);
    },
  });

  function answer(approved: boolean): void {
    setFaults(noFaults);
    const common = { approved, by: by.trim(), ...(note.trim() === "" ? {} : { note: note.trim() }) };
    if (!approved || fields.length === 0) return mutate(common);
    const found = read(fields, entered);
    if ("value" in found) return mutate({ ...common, form: found.value });
    setFaults(found.faults);
    focusFirst(found.faults);
    return undefined;
  }

  const hasFieldFaults = Object.keys(faults).length > 0;
  const isToldByFields = hasFieldFaults && faultsOf(fields, issuesOf(error)).others.length === 0;
  return (
    <form
      className="answer"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        answer(true);
      }}
    >
      {fields.map((field, at) => {
        const group = field.groups.join(" / ");
        const isFirst = group !== "" && group !== fields[at - 1]?.groups.join(" / ");
        return (
          <div key={keyOf(field)} className={group === "" ? undefined : "within"}>
            {isFirst && (
              <h4>
                {group}
                {field.optionalAt.includes(field.path.length - 1) && (
                  <span className="quiet"> (may be left out)</span>
                )}
              </h4>
            )}
            <Field
              field={field}
              value={entered[keyOf(field)] ?? ""}
              fault={faults[keyOf(field)]}
              onChange={(value) => setEntered((before) => ({ ...before, [keyOf(field)]: value }))}
            />
          </div>
        );
      })}
      <Who approval={approval} value={by} onChange={setBy} />
      <Note value={note} onChange={setNote} />
      {error && !isToldByFields && !isBeaten(error) && <Trouble error={error} />}
      {hasFieldFaults && (
        <p className="bad-text" role="alert">
          Not sent: {countText(Object.keys(faults).length)} above to mend.
        </p>
      )}
      <div className="filters">
        <button type="submit" className="button primary" disabled={isPending || by.trim() === ""}>
          {isPending && variables.approved ? "…" : "Approve"}
        </button>
        <button
          type="button"
          className="button danger"
          disabled={isPending || by.trim() === ""}
          onClick={() => answer(false)}
        >
          {isPending && !variables.approved ? "…" : "Reject"}
        </button>
        <span className="quiet">The first answer counts, and stays.</span>
      </div>
    </form>
  );
}

function countText(count: number): string {
  return count === 1 ? "1 field" : `${count} fields`;
}

function firstPerson({ by }: ApprovalView): string {
  const known = person();
  return by === undefined || by.includes(known) ? known : (by[0] ?? known);
}

interface EntryProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Who({ approval: { by }, value, onChange }: EntryProps & { readonly approval: ApprovalView }) {
  const id = useId();
  return (
    <div className="form-field">
      <label htmlFor={id}>You are</label>
      {by === undefined ? (
        <input
          id={id}
          className="field"
          autoComplete="name"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <select id={id} className="field" value={value} onChange={(event) => onChange(event.target.value)}>
          {by.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
    </div>
  );
}

function Note({ value, onChange }: EntryProps) {
  const id = useId();
  return (
    <div className="form-field">
      <label htmlFor={id}>
        Note<span className="quiet"> (may be left out)</span>
      </label>
      <textarea
        id={id}
        className="field area"
        rows={2}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

function isBeaten(failure: unknown): boolean {
  return failure instanceof ApiError && failure.problem.code === "MILLRACE_APPROVAL_ANSWERED";
}

function issuesOf(failure: unknown): readonly { readonly path: string; readonly message: string }[] {
  if (!(failure instanceof ApiError)) return [];
  const issues = failure.problem.fields?.["issues"];
  if (!Array.isArray(issues)) return [];
  return issues as readonly { readonly path: string; readonly message: string }[];
}

function focusFirst(faults: Entered): void {
  const [first] = Object.keys(faults);
  if (first !== undefined)
    document.querySelector<HTMLElement>(`.answer [name="${CSS.escape(first)}"]`)?.focus();
}
