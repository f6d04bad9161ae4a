/** The runs of a pipeline by nodes: the newest page as it changes, and older ones as the reader comes to them. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import type { GridPage } from "@millrace/protocol";
import { get } from "../../api/client.ts";
import { gridPath, one } from "../../api/queries.ts";
import { GridModel, type GridView } from "./grid-model.ts";

const newestRuns = 50;
const olderRuns = 100;

interface OlderPage {
  readonly cursor: string;
  /** It has a run that goes on. */
  readonly isUnderWay: boolean;
}

export interface Grid {
  readonly view: GridView | undefined;
  readonly error: Error | null;
  readonly isReading: boolean;
  readonly hasOlder: boolean;
  readonly readOlder: () => void;
}

export function useGrid(pipeline: string): Grid {
  const path = gridPath(pipeline);
  const newest = useQuery(one("grid", path, { limit: newestRuns }));
  const model = useRef(new GridModel());
  const older = useRef<OlderPage[]>([]);
  const next = useRef<string>(undefined);
  const reading = useRef(false);
  const [view, setView] = useState<GridView>();
  const [isReading, setReading] = useState(false);
  const [error, setError] = useState<Error | null>(null);

  const read = useCallback(
    async (cursor: string): Promise<GridPage> => {
      const page = await get(path, { limit: olderRuns, cursor });
      model.current.merge(page, false);
      return page;
    },
    [path],
  );

  useEffect(() => {
    const page = newest.data;
    if (!page) return;
    const hasGap = model.current.merge(page, true);
    if (hasGap) older.current = [];
    if (older.current.length === 0) next.current = page.nextCursor;
    setView(model.current.view());
    const again = older.current.filter(({ isUnderWay }) => isUnderWay);
    if (again.length === 0) return;
    void Promise.all(again.map(async ({ cursor }) => isUnderWayOf(await read(cursor), cursor)))
      .then((pages) => {
        older.current = older.current.map(
          (known) => pages.find(({ cursor }) => cursor === known.cursor) ?? known,
        );
        setView(model.current.view());
      })
      .catch(() => undefined);
  }, [newest.data, read]);

  const readOlder = useCallback(() => {
    const cursor = next.current;
    if (cursor === undefined || reading.current) return;
    reading.current = true;
    setReading(true);
    void read(cursor)
      .then((page) => {
        older.current.push(isUnderWayOf(page, cursor));
        next.current = page.nextCursor;
        setError(null);
        setView(model.current.view());
      })
      .catch(setError)
      .finally(() => {
        reading.current = false;
        setReading(false);
      });
  }, [read]);

  return { view, error: newest.error ?? error, isReading, hasOlder: next.current !== undefined, readOlder };
}

function isUnderWayOf({ runs }: GridPage, cursor: string): OlderPage {
  return { cursor, isUnderWay: runs.some(({ endedAt }) => endedAt === undefined) };
}
