/** How an API key looks: `adstrata_` and its prefix, by which it is known, `_` and its secret. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

const PREFIX_BYTES = 5;
const SECRET_BYTES = 32;
const KEY = /^adstrata_([0-9a-f]{10})_([A-Za-z0-9_-]{43})$/;

/** How many random bytes a key needs: those of its prefix and the 256 bits of its secret. */
export const KEY_BYTES = PREFIX_BYTES + SECRET_BYTES;

/** What is stored of a key. */
export type StoredPart = { prefix: string; secretHash: Uint8Array };

/**
 * Makes a key.
 *
 * @param random `KEY_BYTES` bytes from a cryptographic source.
 * @returns The key, to be shown once and never kept, and what is kept of it.
 */
export function makeApiKey(random: Uint8Array): { key: string } & StoredPart {
  const bytes = Buffer.from(random);
  const prefix = bytes.subarray(0, PREFIX_BYTES).toString("hex");
  const secret = bytes.subarray(PREFIX_BYTES, KEY_BYTES).toString("base64url");
  return { key: `adstrata_${prefix}_${secret}`, prefix, secretHash: sha256(secret) };
}

/** Takes a key apart, to compare it with what is stored. Null where it cannot be one. */
export function readApiKey(text: string): StoredPart | null {
  const [, prefix, secret] = text.match(KEY) ?? [];
  return prefix && secret ? { prefix, secretHash: sha256(secret) } : null;
}

function sha256(secret: string): Uint8Array {
  return createHash("sha256").update(Buffer.from(secret, "base64url")).digest();
}
