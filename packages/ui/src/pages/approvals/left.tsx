/** How long there is left; in the last hour it says so louder. */
import { useNow } from "../../parts/now.ts";
import { durationText, exactText } from "../../parts/time-text.ts";

const soonMs = 3_600_000;

export function Left({ until }: { readonly until: string }) {
  const at = Date.parse(until);
  const left = at - useNow();
  return (
    <time
      dateTime={until}
      title={exactText(at)}
      className={left < soonMs ? "warn-text" : undefined}
      role={left < soonMs ? "timer" : undefined}
    >
      {left <= 0 ? "over" : `${durationText(left)} left`}
    </time>
  );
}
