/** One field of an approval's form. */
import { useId } from "react";
import { keyOf, type FormField } from "./form-fields.ts";

interface FieldProps {
  readonly field: FormField;
  readonly value: string;
  readonly fault: string | undefined;
  readonly onChange: (value: string) => void;
}

export function Field({ field, value, fault, onChange }: FieldProps) {
  const id = useId();
  const { label, help, kind, isRequired, least, most, limits } = field;
  const told = [help, rangeText(least, most), ...limits, hints[kind]]
    .filter((text) => text !== undefined)
    .join(" · ");
  const described = [told === "" ? undefined : `${id}-help`, fault === undefined ? undefined : `${id}-fault`]
    .filter((name) => name !== undefined)
    .join(" ");
  const common = {
    id,
    name: keyOf(field),
    "aria-describedby": described === "" ? undefined : described,
    "aria-invalid": fault !== undefined,
    "aria-required": isRequired,
  } as const;
  return (
    <div className={fault === undefined ? "form-field" : "form-field faulty"}>
      {kind === "flag" ? (
        <label htmlFor={id}>
          <input
            {...common}
            type="checkbox"
            checked={value === "true"}
            onChange={({ target: { checked } }) => onChange(String(checked))}
          />{" "}
          {label}
        </label>
      ) : (
        <>
          <label htmlFor={kind === "picks" ? undefined : id} id={`${id}-label`}>
            {label}
            {isRequired && <span title="needed"> *</span>}
            {!isRequired && field.initial === "" && <span className="quiet"> (may be left out)</span>}
          </label>
          <Entry common={common} field={field} value={value} onChange={onChange} />
        </>
      )}
      {told !== "" && (
        <p id={`${id}-help`} className="quiet help">
          {told}
        </p>
      )}
      {fault !== undefined && (
        <p id={`${id}-fault`} className="bad-text help">
          {fault}
        </p>
      )}
    </div>
  );
}

const hints: { readonly [kind in FormField["kind"]]?: string } = {
  texts: "one a line",
  numbers: "one a line",
  json: "JSON",
};

function rangeText(least: number | undefined, most: number | undefined): string | undefined {
  if (least !== undefined && most !== undefined) return `from ${least} to ${most}`;
  if (least !== undefined) return `${least} or more`;
  return most === undefined ? undefined : `${most} or less`;
}

/** Several of some. */
function Picks({ common, field: { choices }, value, onChange }: EntryProps) {
  const chosen = new Set(value === "" ? [] : value.split(",").map(Number));
  return (
    <div role="group" aria-labelledby={`${common.id}-label`} className="picks">
      {choices.map((choice, at) => (
        <label key={JSON.stringify(choice)} className="inline">
          <input
            type="checkbox"
            {...(at === 0 ? common : {})}
            checked={chosen.has(at)}
            onChange={({ target: { checked } }) => {
              const next = new Set(chosen);
              if (checked) next.add(at);
              else next.delete(at);
              onChange([...next].toSorted((a, b) => a - b).join(","));
            }}
          />
          {typeof choice === "string" ? choice : JSON.stringify(choice)}
        </label>
      ))}
    </div>
  );
}

interface EntryProps {
  readonly common: { readonly id: string };
  readonly field: FormField;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Entry({ common, field, value, onChange }: EntryProps) {
  const { kind, choices, isRequired } = field;
  const change = ({ target }: { readonly target: { readonly value: string } }): void =>
    onChange(target.value);
  switch (kind) {
    case "choice":
      return (
        <select {...common} className="field" value={value} onChange={change}>
          {(value === "" || !isRequired) && <option value="">{isRequired ? "choose…" : "–"}</option>}
          {choices.map((choice, at) => (
            <option key={JSON.stringify(choice)} value={String(at)}>
              {typeof choice === "string" ? choice : JSON.stringify(choice)}
            </option>
          ))}
        </select>
      );
    case "picks":
      return <Picks common={common} field={field} value={value} onChange={onChange} />;
    case "long":
    case "texts":
    case "numbers":
    case "json":
      return (
        <textarea
          {...common}
          className={kind === "json" ? "field area mono" : "field area"}
          rows={kind === "json" ? 4 : 3}
          spellCheck={kind === "long"}
          placeholder={field.example}
          value={value}
          onChange={change}
        />
      );
    case "number":
    case "integer":
      return <input {...common} className="field" inputMode="decimal" value={value} onChange={change} />;
    case "date":
      return <input {...common} className="field" type="date" value={value} onChange={change} />;
    case "time":
      return <input {...common} className="field" type="datetime-local" value={value} onChange={change} />;
    default:
      return <input {...common} className="field wide" value={value} onChange={change} />;
  }
}
