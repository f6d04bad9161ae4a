import type { DeployResponse } from "@millrace/protocol";

/** What a deploy says of schedules that have no tick left. */
export function spentScheduleLines({ spentSchedules = [] }: DeployResponse): string[] {
  return spentSchedules.map(
    ({ pipeline, last }) =>
      `${pipeline}: its trigger has a schedule whose instants are all over; the last was ${last}`,
  );
}
