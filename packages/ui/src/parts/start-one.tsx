/** How a run is started from a terminal: of a pipeline that there is. */
import { useQuery } from "@tanstack/react-query";
import { one } from "../api/queries.ts";
import { Code } from "./code.tsx";
import { firstPipeline } from "./first-code.ts";

export function StartOne() {
  const { data } = useQuery(one("pipelines", "/pipelines", { limit: 1 }));
  if (!data) return null;
  const [pipeline] = data.items;
  if (!pipeline)
    return (
      <>
        <p>
          There is no pipeline yet. Declare one in a file below <code>pipelines/</code>, and start it:
        </p>
        <Code text={firstPipeline} />
        <Code text="npx millrace run hello" />
      </>
    );
  return (
    <>
      <p>Start one on its pipeline&apos;s page, or from a terminal in your project:</p>
      <Code text={`npx millrace run ${pipeline.name}`} />
    </>
  );
}
