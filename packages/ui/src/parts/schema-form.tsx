/** A form made of a JSON Schema: a field for each property, and JSON where there is no field for it. The server judges what is given. */
import type { Json, JsonSchema } from "@millrace/core";

export interface FieldIssue {
  /** `$.day` */
  readonly path: string;
  readonly message: string;
}

type Values = { readonly [name: string]: Json };
type ObjectSchema = { readonly [key: string]: Json };

interface SchemaFormProps {
  readonly schema: JsonSchema | undefined;
  readonly value: FormValue;
  readonly onChange: (value: FormValue) => void;
  readonly issues?: readonly FieldIssue[];
}

/** What is entered: fields that are empty are not given. `text`: JSON, where the whole of it is written by hand. */
export interface FormValue {
  readonly fields: { readonly [name: string]: string | boolean };
  readonly text?: string;
}

export const emptyForm: FormValue = { fields: {} };

/** Throws where JSON is none. */
export function formJson(schema: JsonSchema | undefined, { fields, text }: FormValue): Json {
  if (text !== undefined) return readJson(text, "the parameters");
  const given: { [name: string]: Json } = {};
  for (const [name, property] of propertiesOf(schema)) {
    const entered = fields[name];
    if (entered === undefined || entered === "") continue;
    given[name] = typeof entered === "boolean" ? entered : valueOf(property, entered, name);
  }
  return given;
}

function readJson(text: string, what: string): Json {
  try {
    return (text.trim() === "" ? {} : JSON.parse(text)) as Json;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`What is given for ${what} is not JSON: ${why}`, { cause });
  }
}

export function SchemaForm({ schema, value, onChange, issues = [] }: SchemaFormProps) {
  const root = resolved(schema, schema);
  const properties = propertiesOf(schema);
  const required = new Set(Array.isArray(root?.["required"]) ? (root["required"] as string[]) : []);
  if (value.text !== undefined)
    return (
      <div className="form">
        <label className="whole">
          <span>parameters as JSON</span>
          <textarea
            className="field mono"
            rows={8}
            value={value.text}
            onChange={({ target }) => onChange({ ...value, text: target.value })}
          />
        </label>
        <Issues issues={issues} />
        {properties.length > 0 && (
          <p>
            <button type="button" className="fold link" onClick={() => onChange({ fields: value.fields })}>
              as a form
            </button>
          </p>
        )}
      </div>
    );
  const names = new Set(properties.map(([name]) => `$.${name}`));
  return (
    <div className="form">
      {properties.map(([name, property]) => (
        <Field
          key={name}
          name={name}
          schema={property}
          isRequired={required.has(name)}
          value={value.fields[name]}
          issue={issues.find(
            ({ path }) =>
              path === `$.${name}` || path.startsWith(`$.${name}.`) || path.startsWith(`$.${name}[`),
          )}
          onChange={(entered) => onChange({ fields: { ...value.fields, [name]: entered } })}
        />
      ))}
      <Issues
        issues={issues.filter(
          ({ path }) =>
            ![...names].some(
              (name) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`),
            ),
        )}
      />
      <p>
        <button
          type="button"
          className="fold link"
          onClick={() => onChange({ ...value, text: textOf(schema, value) })}
        >
          as JSON
        </button>
      </p>
    </div>
  );
}

function textOf(schema: JsonSchema | undefined, value: FormValue): string {
  try {
    return JSON.stringify({ ...defaultsOf(schema), ...(formJson(schema, value) as Values) }, undefined, 2);
  } catch {
    return "{}";
  }
}

/** What its properties are unless given. */
export function defaultsOf(schema: JsonSchema | undefined): Values {
  return Object.fromEntries(
    propertiesOf(schema).flatMap(([name, property]) =>
      property["default"] === undefined ? [] : [[name, property["default"]]],
    ),
  );
}

function Issues({ issues }: { readonly issues: readonly FieldIssue[] }) {
  if (issues.length === 0) return null;
  return (
    <ul className="bad-text" role="alert">
      {issues.map(({ path, message }) => (
        <li key={`${path} ${message}`}>
          {path === "$" ? "It" : path.slice(2)} {message}.
        </li>
      ))}
    </ul>
  );
}

interface FieldProps {
  readonly name: string;
  readonly schema: ObjectSchema;
  readonly isRequired: boolean;
  readonly value: string | boolean | undefined;
  readonly issue: FieldIssue | undefined;
  readonly onChange: (value: string | boolean) => void;
}

function Field({ name, schema, isRequired, value, issue, onChange }: FieldProps) {
  // A field for a date has no room to say it.
  const standard =
    schema["format"] === "date" && typeof schema["default"] === "string"
      ? `${schema["default"]} unless given`
      : undefined;
  const about = typeof schema["description"] === "string" ? schema["description"] : undefined;
  const description = [about, standard].filter((part) => part !== undefined).join("; ");
  return (
    <label>
      <span>
        {typeof schema["title"] === "string" ? schema["title"] : name}
        {isRequired && schema["default"] === undefined && <span title="needed"> *</span>}
      </span>
      <Input name={name} schema={schema} value={value} onChange={onChange} isWrong={issue !== undefined} />
      {issue ? (
        <small className="bad-text" role="alert">
          {issue.message}
        </small>
      ) : (
        description !== "" && <small className="quiet">{description}</small>
      )}
    </label>
  );
}

type InputProps = Pick<FieldProps, "name" | "schema" | "value" | "onChange"> & { readonly isWrong: boolean };

function Input({ name, schema, value, onChange, isWrong }: InputProps) {
  const standard = schema["default"];
  const hint =
    standard === undefined ? "" : typeof standard === "string" ? standard : JSON.stringify(standard);
  const type = typeOf(schema);
  const common = { className: "field", name, "aria-invalid": isWrong } as const;
  const text = typeof value === "string" ? value : "";
  if (type === "boolean") {
    const checked = typeof value === "boolean" ? value : standard === true;
    return (
      <input
        type="checkbox"
        name={name}
        checked={checked}
        onChange={({ target }) => onChange(target.checked)}
      />
    );
  }
  const choices = Array.isArray(schema["enum"]) ? schema["enum"] : undefined;
  if (choices)
    return (
      <select {...common} value={text} onChange={({ target }) => onChange(target.value)}>
        <option value="">{hint === "" ? "–" : hint}</option>
        {choices.map((choice) => {
          const written = typeof choice === "string" ? choice : JSON.stringify(choice);
          return (
            <option key={written} value={written}>
              {written}
            </option>
          );
        })}
      </select>
    );
  if (type === "object" || type === "array")
    return (
      <textarea
        {...common}
        className="field mono"
        rows={3}
        placeholder={hint === "" ? (type === "array" ? "[ ]" : "{ }") : hint}
        value={text}
        onChange={({ target }) => onChange(target.value)}
      />
    );
  const format = schema["format"];
  const kind = format === "date" ? "date" : type === "number" || type === "integer" ? "number" : "text";
  return (
    <input
      {...common}
      type={kind}
      {...(type === "number" ? { step: "any" } : {})}
      placeholder={hint}
      value={text}
      onChange={({ target }) => onChange(target.value)}
    />
  );
}

function valueOf(schema: ObjectSchema, entered: string, name: string): Json {
  const choices = Array.isArray(schema["enum"]) ? schema["enum"] : [];
  const chosen = choices.find(
    (choice) => (typeof choice === "string" ? choice : JSON.stringify(choice)) === entered,
  );
  if (chosen !== undefined) return chosen;
  switch (typeOf(schema)) {
    case "number":
    case "integer":
      return Number.isFinite(Number(entered)) ? Number(entered) : entered;
    case "object":
    case "array":
      return readJson(entered, name);
    case "string":
      return entered;
    default:
      // Nothing says what it is: JSON where it is some, else text.
      try {
        return JSON.parse(entered) as Json;
      } catch {
        return entered;
      }
  }
}

function typeOf(schema: ObjectSchema): string | undefined {
  const { type, anyOf, oneOf } = schema as { type?: Json; anyOf?: Json; oneOf?: Json };
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  const found = types.find((one) => one !== "null");
  if (typeof found === "string") return found;
  const parts = (Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : []) as ObjectSchema[];
  const inner = parts.map(typeOf).filter((one) => one !== undefined && one !== "null");
  return new Set(inner).size === 1 ? inner[0] : undefined;
}

function propertiesOf(schema: JsonSchema | undefined): [string, ObjectSchema][] {
  const root = resolved(schema, schema);
  const properties = root?.["properties"];
  if (properties === null || typeof properties !== "object" || Array.isArray(properties)) return [];
  return Object.entries(properties).map(([name, property]) => [
    name,
    resolved(property as JsonSchema, schema) ?? {},
  ]);
}

/** Through `$ref` within the schema. */
function resolved(
  schema: JsonSchema | undefined,
  root: JsonSchema | undefined,
  depth = 0,
): ObjectSchema | undefined {
  if (schema === undefined || typeof schema !== "object" || schema === null) return undefined;
  const reference = schema["$ref"];
  if (typeof reference !== "string" || depth > 8) return schema;
  let place: Json | undefined = root;
  for (const part of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    if (place === null || typeof place !== "object" || Array.isArray(place)) return schema;
    place = (place as ObjectSchema)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return resolved(place as JsonSchema | undefined, root, depth + 1) ?? schema;
}
