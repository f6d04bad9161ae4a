/** Bundles and blobs by hash. */
import { createHash } from "node:crypto";
import { canonicalJson, MillraceError, type Json } from "@millrace/core";
import type { BundleManifest, BundleUpload, Operations } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { findBundle, hasBundle, putBundle } from "@millrace/store";
import type { ApiContext } from "./api-context.ts";
import { bodyBytesMax, largeBodyBytesMax } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";

export function bundleRoutes(context: ApiContext): Route[] {
  const { database, blobs } = context;
  return [
    route(
      operations.putBundle,
      async (request) => {
        const upload = request.body;
        verifyBundle(hashOf(request), upload);
        const { manifest, code, map } = upload;
        const row = { hash: manifest.hash, manifest: manifest as unknown as Json, code, map };
        await putBundle(database, row, context.host.engine.now());
        return { hash: manifest.hash };
      },
      { bodyBytesMax: largeBodyBytesMax },
    ),
    route(operations.getBundle, async (request, reply) => {
      const bundle = await findBundle(database, hashOf(request));
      if (!bundle) throw unknownBundle(request);
      const { manifest, code, map } = bundle;
      reply.header("cache-control", "private, max-age=31536000, immutable");
      return { manifest: manifest as unknown as BundleManifest, code, map };
    }),
    route(operations.hasBundle, async (request, reply) => {
      if (!(await hasBundle(database, hashOf(request)))) throw unknownBundle(request);
      return reply.code(200).send();
    }),
    route(
      operations.putBlob,
      async (request) => {
        const hash = hashOf(request);
        const bytes = bytesOf(request.raw.body);
        const found = createHash("sha256").update(bytes).digest("hex");
        if (found !== hash) {
          throw new MillraceError("MILLRACE_REQUEST_INVALID", {
            message: `The bytes have the hash ${found}, not ${hash}.`,
          });
        }
        await blobs.put(bytes);
        return { hash, bytes: bytes.length };
      },
      { bodyBytesMax: largeBodyBytesMax },
    ),
    route(operations.getBlob, async (request, reply) => {
      const hash = hashOf(request);
      const bytes = await blobs.get(hash);
      if (!bytes) throw new MillraceError("MILLRACE_NOT_FOUND", { message: `There is no blob ${hash}.` });
      return reply
        .header("content-type", "application/octet-stream")
        .header("content-disposition", "attachment")
        .header("content-security-policy", "sandbox")
        .header("x-content-type-options", "nosniff")
        .header("cache-control", "private, max-age=31536000, immutable")
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }),
  ];
}

/** Bytes come as they are; JSON that a client sent as such was not parsed away from its text. */
function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `A blob is sent with \`content-type: application/octet-stream\`; other bodies are at most ${bodyBytesMax} bytes of JSON.`,
  });
}

function hashOf(
  request: ApiRequest<Operations["getBlob" | "getBundle" | "hasBundle" | "putBlob" | "putBundle"]>,
): string {
  const hash = request.path.hash;
  if (/^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: "The address ends with a hash: 64 hexadecimal digits, in lower case.",
  });
}

function unknownBundle(request: ApiRequest<Operations["getBundle" | "hasBundle"]>): MillraceError {
  return new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
    message: `There is no bundle ${request.path.hash}.`,
  });
}

/** Throws MILLRACE_BUNDLE_CORRUPT. */
function verifyBundle(hash: string, upload: BundleUpload): void {
  const { hash: named, ...rest } = upload.manifest;
  const found = sha256(canonicalJson(rest));
  const fault =
    named !== hash || found !== hash
      ? `its manifest has the hash ${found}`
      : sha256(upload.code) !== rest.codeHash
        ? "its code has another hash than the manifest says"
        : sha256(upload.map) !== rest.mapHash
          ? "its source map has another hash than the manifest says"
          : undefined;
  if (fault === undefined) return;
  throw new MillraceError("MILLRACE_BUNDLE_CORRUPT", {
    message: `The bundle ${hash} can't be taken: ${fault}.`,
    fields: { bundle: hash },
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
