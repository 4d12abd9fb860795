import express, { type Request, type Response } from "express";
import { z } from "zod";
import { CarillonError } from "../errors.js";
import { invalidInput } from "../schedules/parse-input.js";
import { readJson } from "./json.js";

/** The largest request body, after decompression. */
export const BODY_LIMIT = 2 * 1024 * 1024;

/** The body of a request that carries nothing. */
export const Nothing = z.strictObject({}).optional();

const readBytes = express.raw({ type: () => true, limit: BODY_LIMIT });

const hasBody = (request: Request) =>
  request.headers["transfer-encoding"] !== undefined ||
  Number(request.headers["content-length"] ?? 0) > 0;

/** The JSON a request carries; undefined when it carries nothing. */
export async function readBody(request: Request, response: Response): Promise<unknown> {
  if (!hasBody(request)) return undefined;
  checkMediaType(request);
  await new Promise<void>((resolve, reject) => {
    readBytes(request, response, (error?: unknown) => {
      if (error === undefined || error === null) resolve();
      else reject(fromReader(error));
    });
  });
  const bytes: unknown = request.body;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return undefined;
  return readJson(decode(bytes));
}

function checkMediaType(request: Request): void {
  const [type = "", ...parameters] = (request.get("content-type") ?? "").toLowerCase().split(";");
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith("charset="));
  const isJson = /^application\/([\w.+-]+\+)?json$/.test(type.trim());
  if (isJson && /^(charset="?utf-?8"?)?$/.test(charset ?? "")) return;
  throw new CarillonError(
    "unsupported_media_type",
    "the body must be JSON in UTF-8: send the header content-type: application/json",
  );
}

/** Strict: a decoder that puts U+FFFD in place of bad bytes would store something else than was sent. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidInput([{ field: "body", message: "is not valid UTF-8" }]);
  }
}

/** What body-parser puts on its errors. */
interface ReaderError {
  type?: string;
}

function fromReader(error: unknown): CarillonError {
  const { type = "" } = error as ReaderError;
  switch (type) {
    case "entity.too.large":
      return new CarillonError(
        "payload_too_large",
        `the body is larger than ${BODY_LIMIT / 1024 / 1024} MiB`,
      );
    case "encoding.unsupported":
      return new CarillonError(
        "unsupported_media_type",
        "the body's content-encoding is not supported",
      );
    default:
      // Cut off, of another length than announced, or not what its content-encoding says.
      return invalidInput([{ field: "body", message: "could not be read to its end" }]);
  }
}
