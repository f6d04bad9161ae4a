/**
 * The page: files of a folder that was built before, kept in memory, and its document for every address that is the page's own.
 * What is asked for is looked up by its whole name, so no path leads out of the folder. (`@fastify/static` does what we need,
 * and its import costs each server 42 ms of its start.)
 *
 * G1: the page may be read without a token: it holds nothing of the workspace, and asks for the token itself.
 * G2: its policy lets scripts, styles and connections of this server only.
 * G3: html that tasks wrote is shown by a file of ours in a sandbox, whose own policy lets nothing run but that file's script, and
 *     nothing be fetched: it has no origin, so it reaches neither the page nor the API.
 */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";

const mediaTypes: { readonly [extension: string]: string } = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const frameFile = "/artifact-frame.html";

/** Its one script is named by its hash: whatever else stands there does not run. */
function framePolicy(file: string): string {
  const [, script = ""] = /<script>(.*?)<\/script>/s.exec(file) ?? [];
  return [
    "sandbox allow-scripts",
    "default-src 'none'",
    `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    "media-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join("; ");
}

interface PageFile {
  readonly mediaType: string;
  readonly policy: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

/** Files whose names hold a hash of their content. */
const lastingFolder = "/assets/";
/**
 * A name with an extension is a file's: where there is none, it is not an address of the page. Names of pipelines have dots, too, and
 * so have those of assets, whose pages stand beside the files: there only what could be one of these is.
 */
function isFileName(path: string): boolean {
  if (/^\/(?:pipelines|triggers)\/[^/]+$/.test(path)) return false;
  const extension = path.startsWith(lastingFolder) ? /\.(?:css|html|js|map|svg|woff2)$/ : /\.[a-z0-9]{1,8}$/;
  return extension.test(path);
}

export class PageFiles {
  readonly #folder: string;
  #files: Promise<ReadonlyMap<string, PageFile>> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Of a request that no route takes: this address is one of the page's. */
  isMine(request: FastifyRequest): boolean {
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    const [path = "/"] = request.url.split("?");
    // An address with a server's name before its path is a proxy's business.
    return path.startsWith("/") && !/^\/(?:api|hooks)(?:\/|$)/.test(path);
  }

  /** Answers with the file, or with the document; `false` where there is no such file. */
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    this.#files ??= readFiles(this.#folder);
    const files = await this.#files;
    const [path = "/"] = request.url.split("?");
    const named = files.get(path);
    const file = named ?? (isFileName(path) ? undefined : files.get("/index.html"));
    if (!file) return false;
    reply.headers({
      "content-type": file.mediaType,
      etag: file.etag,
      vary: "accept-encoding",
      // The document stands at addresses of assets, too.
      "cache-control":
        named && path.startsWith(lastingFolder) ? "public, max-age=31536000, immutable" : "no-cache",
      "content-security-policy": file.policy,
      "cross-origin-opener-policy": "same-origin",
    });
    if (request.headers["if-none-match"] === file.etag) {
      await reply.code(304).send();
      return true;
    }
    const accepted = request.headers["accept-encoding"] ?? "";
    const encoding = ["br", "gzip"].find((name) => new RegExp(`\\b${name}\\b`).test(accepted));
    if (encoding !== undefined) reply.header("content-encoding", encoding);
    await reply.send(encoding === "br" ? file.brotli : encoding === "gzip" ? file.gzip : file.plain);
    return true;
  }
}

/** The page's files as they were when it was first asked for. A folder that is not there holds none. */
async function readFiles(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const mediaType = mediaTypes[extname(name)];
    if (mediaType === undefined) continue;
    const plain = await readFile(join(folder, name));
    const [packed, packedSmaller] = await Promise.all([pack(plain), packSmaller(plain)]);
    const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    const path = `/${name.split(sep).join("/")}`;
    files.set(path, {
      mediaType,
      policy: path === frameFile ? framePolicy(plain.toString()) : policy,
      etag,
      plain,
      gzip: packed,
      brotli: packedSmaller,
    });
  }
  return files;
}

const pack = promisify(gzip);

function packSmaller(content: Buffer): Promise<Buffer> {
  // The best level takes seconds for what the page holds.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 6 };
  return promisify<Buffer, { params: typeof params }, Buffer>(brotliCompress)(content, { params });
}
