/** Lines of code around a place, as the command line prints them: the line that is meant stands out. */
export function CodeFrame({ text }: { readonly text: string }) {
  return (
    <pre className="code-frame" tabIndex={0}>
      {text.split("\n").map((line, at) => (
        <span key={at} className={lineClass(line)}>
          {`${line}\n`}
        </span>
      ))}
    </pre>
  );
}

function lineClass(line: string): string | undefined {
  if (line.startsWith(">")) return "meant";
  return /^ +\| +\^+$/.test(line) ? "carets" : undefined;
}
