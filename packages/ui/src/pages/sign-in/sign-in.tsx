/** The server wants a token: one field for it. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keepToken, token } from "../../api/session.ts";

export function SignIn() {
  const queries = useQueryClient();
  const [value, setValue] = useState("");
  const [isLasting, setLasting] = useState(false);
  const wasRefused = token() !== undefined;
  return (
    <main className="page">
      <h1>Millrace</h1>
      <form
        className="empty"
        onSubmit={(event) => {
          event.preventDefault();
          keepToken(value.trim(), isLasting);
          void queries.resetQueries();
        }}
      >
        <p>
          This server asks for its token: the value of <code>MILLRACE_TOKEN</code> where it was started.
        </p>
        {wasRefused && <p className="note bad">The token that this browser has is not this server's.</p>}
        <label>
          Token{" "}
          <input
            className="field"
            type="password"
            autoComplete="off"
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </label>
        <label>
          <input type="checkbox" checked={isLasting} onChange={(event) => setLasting(event.target.checked)} />{" "}
          keep it in this browser
        </label>
        <p>
          <button type="submit" className="button primary" disabled={value.trim() === ""}>
            Open
          </button>
        </p>
      </form>
    </main>
  );
}
