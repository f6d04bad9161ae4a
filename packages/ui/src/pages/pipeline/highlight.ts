/** TypeScript cut into lines of tokens, lightly: comments, texts, numbers and words of the language. */
export interface Token {
  readonly kind: "comment" | "text" | "number" | "word" | "plain";
  readonly text: string;
}

const words =
  "as|async|await|break|case|catch|class|const|continue|default|delete|do|else|export|extends|false|finally|for|from|function|if|implements|import|in|instanceof|interface|keyof|let|new|null|of|private|readonly|return|satisfies|static|super|switch|this|throw|true|try|type|typeof|undefined|var|void|while|yield";
const pattern = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))`,
    String.raw`(?<text>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|` + "`(?:[^`\\\\]|\\\\[\\s\\S])*`?)",
    String.raw`(?<number>\b\d[\d_.]*(?:e[+-]?\d+)?\w*\b)`,
    String.raw`(?<word>(?<![\w$.])(?:${words})(?![\w$]))`,
  ].join("|"),
  "g",
);

export function highlighted(source: string): Token[][] {
  const lines: Token[][] = [[]];
  const put = (kind: Token["kind"], text: string): void => {
    text.split("\n").forEach((part, at) => {
      if (at > 0) lines.push([]);
      if (part !== "") lines.at(-1)!.push({ kind, text: part });
    });
  };
  let from = 0;
  for (const found of source.matchAll(pattern)) {
    put("plain", source.slice(from, found.index));
    const [kind] = Object.entries(found.groups ?? {}).find(([, text]) => text !== undefined) ?? ["plain"];
    put(kind as Token["kind"], found[0]);
    from = found.index + found[0].length;
  }
  put("plain", source.slice(from));
  return lines;
}
