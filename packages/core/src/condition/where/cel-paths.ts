/** The paths into the event that an expression reads, as far as they are written out. */
import type { CelNode } from "./cel-library.ts";
import type { WherePath } from "./where.ts";

/** A path ends before a computed step. Members of a comprehension's element are left out: its list stands for them. */
export function celPathsOf(tree: CelNode, variables: readonly string[]): WherePath[] {
  const paths: WherePath[] = [];
  const visit = (node: CelNode, scope: readonly string[]): void => {
    switch (node.op) {
      case "value":
        return;
      case "id":
      case ".":
      case ".?":
      case "[]":
      case "[?]": {
        const { root, steps } = readSteps(node, (index) => visit(index, scope));
        if (root.op !== "id") visit(root, scope);
        else if (variables.includes(root.args) && !scope.includes(root.args))
          paths.push([root.args, ...steps]);
        return;
      }
      case "call":
        for (const argument of node.args[1]) visit(argument, scope);
        return;
      case "rcall": {
        const [, receiver, [first, ...rest]] = node.args;
        visit(receiver, scope);
        const names = first?.op === "id" && rest.length > 0 ? [first.args] : [];
        if (first && names.length === 0) visit(first, scope);
        for (const argument of rest) visit(argument, [...scope, ...names]);
        return;
      }
      case "!_":
      case "-_":
        return visit(node.args, scope);
      case "map":
        for (const part of node.args.flat()) visit(part, scope);
        return;
      default:
        for (const part of node.args) visit(part, scope);
    }
  };
  visit(tree, []);
  return paths;
}

interface Steps {
  readonly root: CelNode;
  readonly steps: readonly string[];
  /** A computed step was passed: what follows it is not known. */
  readonly open: boolean;
}

function readSteps(node: CelNode, onIndex: (index: CelNode) => void): Steps {
  switch (node.op) {
    case ".":
    case ".?":
      return extend(readSteps(node.args[0], onIndex), node.args[1]);
    case "[]":
    case "[?]": {
      const before = readSteps(node.args[0], onIndex);
      const index = node.args[1];
      if (index.op === "value" && (typeof index.args === "string" || typeof index.args === "bigint"))
        return extend(before, String(index.args));
      onIndex(index);
      return { ...before, open: true };
    }
    default:
      return { root: node, steps: [], open: false };
  }
}

function extend(before: Steps, step: string): Steps {
  return before.open ? before : { ...before, steps: [...before.steps, step] };
}
