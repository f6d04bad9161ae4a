/** The server wants a token: one field for it. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { keepToken, token } from "../../api/session.ts";

export function SignIn() {
  const queries = useQueryClient();
  const [value, setValue] = useState("");
  const [isLasting, setLasting] = useState(false);
  const wasRefused = token() !== undefined;
  useEffect(() => {
    document.title = "Sign in · Millrace";
  }, []);
  return (
    <main className="sign-in">
      <h1>
        <img src="/mark.svg" width={22} height={22} alt="" /> Millrace
      </h1>
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
          <span>Token</span>
          <input
            className="field"
            autoFocus
            type="password"
            autoComplete="off"
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </label>
        <label className="choice">
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
