/** Calls that only adapters make, and SQL that only the store holds. */
import { allowances, type Allowance, type BannedUse } from "./allowed.ts";
import { scan, lineAt } from "./scan.ts";
import { isTest, isTypeScript, type Finding, type SourceTree } from "./source-tree.ts";

interface Ban {
  readonly use: BannedUse;
  readonly pattern: RegExp;
  readonly what: string;
  readonly instead: string;
}

const bans: readonly Ban[] = [
  {
    use: "clock",
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bTemporal\.Now\b|\bperformance\.now\b/g,
    what: "reads the clock",
    instead: "take `now` as an argument",
  },
  {
    use: "random",
    pattern: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/g,
    what: "draws at random",
    instead: "take the number or the id as an argument",
  },
  {
    use: "timer",
    pattern: /(?<![.\w])(?:setTimeout|setInterval|setImmediate)\b|\btimers\/promises\b/g,
    what: "starts a timer",
    instead: "take a clock as an argument",
  },
  {
    use: "environment",
    pattern: /\bprocess\.env\b/g,
    what: "reads the environment",
    instead: "read it once, at the edge",
  },
  {
    use: "console",
    pattern: /(?<![.\w])console\.\w+/g,
    what: "prints",
    instead: "return it, or log through what you are given",
  },
];

/** Folders whose business is the outside world; the simulator is not among them: it must be deterministic. */
const worldly = ["packages/cli/", "packages/testkit/", "tools/", "bench/", "e2e/", "examples/"];
const worldlyUses: readonly BannedUse[] = ["console", "clock", "random", "timer", "environment"];
/** The command line prints and reads its environment; for its clocks and timers it answers like everyone. */
const commandLineUses: readonly BannedUse[] = ["console", "environment", "clock"];

/** What looks like a statement, at the beginning of a string. */
const sqlStart =
  /^\s*(?:select\s[\s\S]+\sfrom\s|insert\s+into\s|update\s+[\w."]+\s+(?:as\s+\w+\s+)?set\s|delete\s+from\s|(?:create|alter|drop)\s+(?:unlogged\s+)?(?:table|index|schema|database|role|function|type)\s|with\s+\w+\s+as\s*(?:not\s+materialized\s*|materialized\s*)?\(|truncate\s|lock\s+table\s|listen\s+\w|notify\s+\w)/i;
const sqlFolders = ["packages/store/", "bench/", "e2e/", "examples/", "tools/"];

export function checkCalls(tree: SourceTree, allowed: readonly Allowance[] = allowances): Finding[] {
  const findings: Finding[] = [];
  const needed = new Set<string>();
  for (const file of tree.files.filter(isTypeScript)) {
    if (isTest(file)) continue;
    for (const { use, line, message } of usesIn(file, tree.read(file))) {
      if (isWorldly(file, use)) continue;
      const allowance = allowed.find((entry) => covers(entry, file) && entry.uses.includes(use));
      if (allowance) needed.add(`${allowance.path} ${use}`);
      else findings.push({ file, line, message });
    }
  }
  for (const { path, uses } of allowed) {
    for (const use of uses) {
      if (needed.has(`${path} ${use}`)) continue;
      findings.push({
        file: "tools/tidy/allowed.ts",
        message: `${path} does not need the allowance "${use}" any more`,
      });
    }
  }
  return findings;
}

interface Use {
  readonly use: BannedUse;
  readonly line: number;
  readonly message: string;
}

function usesIn(file: string, source: string): Use[] {
  const { code, strings, imports } = scan(source);
  const uses: Use[] = [];
  for (const { use, pattern, what, instead } of bans) {
    for (const match of code.matchAll(pattern)) {
      const line = lineAt(source, match.index);
      uses.push({ use, line, message: `${match[0]} ${what}: ${instead}` });
    }
  }
  for (const { specifier, line } of imports) {
    if (specifier.startsWith("node:timers"))
      uses.push({ use: "timer", line, message: `${specifier} starts timers: take a clock as an argument` });
    if (file.startsWith("packages/core/") && specifier.startsWith("node:")) {
      uses.push({ use: "node", line, message: `core is pure: it does not import ${specifier}` });
    }
  }
  for (const { text, line } of strings) {
    if (sqlFolders.some((folder) => file.startsWith(folder)) || !sqlStart.test(text)) continue;
    uses.push({ use: "sql", line, message: "holds SQL: only packages/store does" });
  }
  return uses;
}

function isWorldly(file: string, use: BannedUse): boolean {
  if (file.startsWith("packages/cli/")) return commandLineUses.includes(use);
  return worldlyUses.includes(use) && worldly.some((folder) => file.startsWith(folder));
}

function covers(entry: Allowance, file: string): boolean {
  return entry.path.endsWith("/") ? file.startsWith(entry.path) : file === entry.path;
}
