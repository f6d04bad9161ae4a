/**
 * The key of an index over equalities: FNV-1a with 64 bits of path and value, in hexadecimal. It is small, well known
 * and the same everywhere. Two different pairs may share a key, also because somebody wants them to: that costs a
 * look at one waiter more and nothing else, as the whole filter is always evaluated on what an index finds.
 */
import type { WherePath, WhereScalar } from "./where.ts";

/** Equal for equal JSON scalars: `1` and `1.0` are one, `"1"` is another. */
export function whereKey(path: WherePath, value: WhereScalar): string {
  return compileWhereKey(path)(value);
}

/** The same for many values at one path, which is hashed once. */
export function compileWhereKey(path: WherePath): (value: WhereScalar) => string {
  const prefix = extend(empty, `${JSON.stringify(path)}=`);
  return (value) => format(extend(prefix, JSON.stringify(value)));
}

/** FNV-1a of the text's UTF-8. */
export function fnv1a64(text: string): string {
  return format(extend(empty, text));
}

/** 64 bits in two halves of 32: a `bigint` for each byte is 50 times slower. */
interface Hash {
  readonly high: number;
  readonly low: number;
}

const empty: Hash = { high: 0xcbf29ce4, low: 0x84222325 };

function extend(hash: Hash, text: string): Hash {
  let { high, low } = hash;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) return extendBytes({ high, low }, utf8Of(text.slice(at)));
    low ^= unit;
    // Times the prime, 2^40 + 435, in pieces that stay whole numbers of 32 bits.
    const first = (low & 0xffff) * 435;
    const second = (low >>> 16) * 435 + (first >>> 16);
    high = (Math.imul(high, 435) + (second >>> 16) + (low << 8)) | 0;
    low = (second << 16) | (first & 0xffff);
  }
  return { high, low };
}

function extendBytes(hash: Hash, bytes: readonly number[]): Hash {
  let { high, low } = hash;
  for (const byte of bytes) {
    low ^= byte;
    const first = (low & 0xffff) * 435;
    const second = (low >>> 16) * 435 + (first >>> 16);
    high = (Math.imul(high, 435) + (second >>> 16) + (low << 8)) | 0;
    low = (second << 16) | (first & 0xffff);
  }
  return { high, low };
}

function utf8Of(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const tail = (shift: number) => 0x80 | ((point >>> shift) & 0x3f);
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >>> 6), tail(0));
    else if (point < 0x10000) bytes.push(0xe0 | (point >>> 12), tail(6), tail(0));
    else bytes.push(0xf0 | (point >>> 18), tail(12), tail(6), tail(0));
  }
  return bytes;
}

function format({ high, low }: Hash): string {
  return hexOf(high) + hexOf(low);
}

function hexOf(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
