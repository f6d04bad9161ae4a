/**
 * The key of an index over equalities: FNV-1a with 64 bits of path and value, in hexadecimal. It is small, well known
 * and the same everywhere. Two different pairs may share a key, also because somebody wants them to: that costs a
 * look at one waiter more and nothing else, as the whole filter is always evaluated on what an index finds.
 */
import type { WherePath, WhereScalar } from "./where.ts";

/** Equal for equal JSON scalars: `1` and `1.0` are one, `"1"` is another. */
export function whereKey(path: WherePath, value: WhereScalar): string {
  return fnv1a64(`${JSON.stringify(path)}=${JSON.stringify(value)}`);
}

/** FNV-1a of the text's UTF-8. The 64 bits are two halves, as a `bigint` for each byte is 50 times slower. */
export function fnv1a64(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  const add = (byte: number) => {
    low = (low ^ byte) >>> 0;
    // The prime is 2^40 + 435. Each product stays below 2^53.
    const product = low * 435;
    high = (high * 435 + Math.floor(product / 0x1_0000_0000) + low * 256) % 0x1_0000_0000;
    low = product >>> 0;
  };
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      add(unit);
      continue;
    }
    const point = text.codePointAt(at) ?? unit;
    if (point > 0xffff) at += 1;
    addUtf8(point, add);
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}

function addUtf8(point: number, add: (byte: number) => void): void {
  const tail = (shift: number) => add(0x80 | ((point >>> shift) & 0x3f));
  if (point < 0x800) {
    add(0xc0 | (point >>> 6));
  } else if (point < 0x10000) {
    add(0xe0 | (point >>> 12));
    tail(6);
  } else {
    add(0xf0 | (point >>> 18));
    tail(12);
    tail(6);
  }
  tail(0);
}
