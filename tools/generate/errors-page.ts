import { catalogue, type CatalogueEntry, type NextStep } from "@millrace/core";

const nextSteps: { readonly [step in NextStep]: string } = {
  fix_input: "Correct what you gave, then try again.",
  fix_code: "Correct the pipeline's code, then deploy again.",
  fix_setup: "Correct the installation or its settings.",
  retry: "It may work when it is tried again; where Millrace can, it does so by itself.",
  stop: "It ended for good; a person decides what follows.",
};

/** The page that explains every error code. */
export function errorsPage(): string {
  const entries = Object.entries(catalogue satisfies { [code: string]: CatalogueEntry }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return [
    "<!-- Generated from packages/core/src/error/catalogue.ts by tools/generate/main.ts. -->",
    "",
    "# Errors",
    "",
    "Every failure that Millrace expects has a code. A code never changes its meaning and is never used again for another. The",
    "command line prints it with what happened and what to do; the API answers with it as an RFC 9457 problem of the type",
    "`urn:millrace:error:CODE`.",
    "",
    ...entries.flatMap(([code, entry]) => [`## ${code}`, "", ...paragraphs(entry), ""]),
  ].join("\n");
}

function paragraphs({ meaning, advice, next, status }: CatalogueEntry): string[] {
  return [`${meaning} ${advice}`, "", `What follows: \`${next}\`. ${nextSteps[next]} HTTP status ${status}.`];
}
