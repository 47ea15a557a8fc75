/** A token bucket: so many requests at once, refilled evenly. */

/** How full a bucket was, and when. */
export type Bucket = { tokens: number; at: number };

/**
 * Takes a token.
 *
 * @param bucket As the last call returned it; nothing before the first one.
 * @param perMinute How many tokens come in a minute, and how many the bucket holds.
 * @param now Milliseconds of a clock that never goes back.
 * @returns The bucket afterwards, and how many milliseconds to wait for a token: 0 if there was one.
 */
export function takeToken(
  bucket: Bucket | undefined,
  perMinute: number,
  now: number,
): { bucket: Bucket; waitMs: number } {
  const perMs = perMinute / 60_000;
  const tokens = bucket
    ? Math.min(perMinute, bucket.tokens + (now - bucket.at) * perMs)
    : perMinute;
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, at: now }, waitMs: 0 };
  return { bucket: { tokens, at: now }, waitMs: (1 - tokens) / perMs };
}
