/** The present time, and in whose time the page shows instants. */
import { useRef, useState } from "react";
import { useNow } from "../parts/now.ts";
import { clockText, exactText } from "../parts/time-text.ts";
import { chooseZone, isZone, ownZone, useZoneChoice, zoneShortName } from "../parts/zone.ts";

export const zoneDialogId = "zone-choice";

export function openZoneChoice(): void {
  document.querySelector<HTMLDialogElement>(`#${zoneDialogId}`)?.showModal();
}

export function ZoneChoice() {
  const now = useNow();
  const choice = useZoneChoice();
  const dialog = useRef<HTMLDialogElement>(null);
  const isOther = choice !== "local" && choice !== "UTC";
  return (
    <>
      <button
        type="button"
        className="fold quiet"
        title={`${exactText(now)}\nIn whose time instants are shown`}
        onClick={openZoneChoice}
      >
        {clockText(now, now)} {zoneShortName(now)}
      </button>
      <dialog ref={dialog} id={zoneDialogId} aria-label="Time zone">
        <div className="asked">
          <h2>In whose time instants are shown</h2>
          <p className="quiet">All of them, on every page, with UTC at a hover. This browser keeps it.</p>
          <label className="choice">
            <input
              type="radio"
              name="zone"
              checked={choice === "local"}
              onChange={() => chooseZone("local")}
            />{" "}
            this machine&apos;s: {ownZone()}
          </label>
          <label className="choice">
            <input type="radio" name="zone" checked={choice === "UTC"} onChange={() => chooseZone("UTC")} />{" "}
            UTC
          </label>
          <OtherZone key={choice} zone={isOther ? choice : ""} />
          <div className="actions">
            <button type="button" className="button primary" onClick={() => dialog.current?.close()}>
              Done
            </button>
          </div>
        </div>
      </dialog>
    </>
  );
}

function OtherZone({ zone }: { readonly zone: string }) {
  const [text, setText] = useState(zone);
  const isRight = isZone(text);
  return (
    <div className="choice">
      <label>
        <input
          type="radio"
          name="zone"
          checked={zone !== ""}
          disabled={!isRight}
          onChange={() => chooseZone(text)}
        />{" "}
        another:{" "}
      </label>
      <input
        className="field"
        list="zones"
        aria-label="another zone"
        placeholder="Asia/Tokyo"
        aria-invalid={text !== "" && !isRight}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onBlur={() => {
          if (isRight && text !== zone) chooseZone(text);
        }}
        onKeyDown={({ key }) => {
          if (key === "Enter" && isRight) chooseZone(text);
        }}
      />
      <datalist id="zones">
        {Intl.supportedValuesOf("timeZone").map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {text !== "" && !isRight && <span className="bad-text"> No zone is called so.</span>}
    </div>
  );
}
