/** A trigger's parameters as fields; what is changed says what it was. */
import { nameOf, type Entered, type Parameter } from "./parameters.ts";

interface ParameterFieldsProps {
  readonly parameters: readonly Parameter[];
  readonly entered: Entered;
  readonly onChange: (entered: Entered) => void;
  /** The field that was refused, and why. */
  readonly wrong: string | undefined;
  readonly message: string | undefined;
}

export function ParameterFields({ parameters, entered, onChange, wrong, message }: ParameterFieldsProps) {
  if (parameters.length === 0)
    return <p className="quiet">It has nothing that could be changed here: change it as JSON.</p>;
  return (
    <div className="parameters">
      {parameters.map(({ path, label, kind, text, isOptional }) => {
        const name = nameOf(path);
        const value = entered[name] ?? text;
        const isWrong = wrong === name;
        const isWide = path.at(-1) === "where";
        return (
          <label key={name} className={isWide ? "wide" : undefined}>
            <span className={value === text ? "quiet" : "changed"}>{label}</span>
            <input
              className={kind === "text" ? "field mono" : "field"}
              inputMode={kind === "number" ? "numeric" : "text"}
              aria-invalid={isWrong}
              spellCheck={false}
              placeholder={isWide ? "every event of the type; or CEL" : isOptional ? "none" : ""}
              value={value}
              onChange={({ target }) => onChange(changed(entered, name, target.value, text))}
            />
            {isWrong ? (
              <small className="bad-text" role="alert">
                {message}
              </small>
            ) : (
              value !== text && <small className="quiet">{text === "" ? "it had none" : `was ${text}`}</small>
            )}
          </label>
        );
      })}
    </div>
  );
}

/** What is as it was is not kept. */
function changed(entered: Entered, name: string, value: string, was: string): Entered {
  const { [name]: _old, ...others } = entered;
  return value === was ? others : { ...others, [name]: value };
}
