import { expect, test } from "vitest";
import { csvText } from "../src/parts/csv.tsx";

test("cells with commas, quotes and line ends are quoted, nothing is empty", () => {
  const rows = [
    ["a, b", 'say "so"', 1.5],
    ["two\nlines", undefined, -3],
  ];
  expect(csvText(["what", "how", "much"], rows)).toBe(
    'what,how,much\r\n"a, b","say ""so""",1.5\r\n"two\nlines",,-3\r\n',
  );
});

test("names that a spreadsheet would calculate stay text", () => {
  expect(csvText(["name"], [["=1+1"], ["@x"], ["-2"]])).toBe("name\r\n'=1+1\r\n'@x\r\n'-2\r\n");
});
