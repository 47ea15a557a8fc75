import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Bucket, takeToken } from "../../core/token_bucket.ts";

const PER_MINUTE = 600;

Deno.test("takeToken() lets a full bucket be emptied at once, then says how long to wait", () => {
  let bucket: Bucket | undefined;
  for (let taken = 0; taken < PER_MINUTE; taken += 1) {
    const take = takeToken(bucket, PER_MINUTE, 5);
    assertEquals(take.waitMs, 0);
    ({ bucket } = take);
  }
  const { waitMs, bucket: empty } = takeToken(bucket, PER_MINUTE, 5);
  assertAlmostEquals(waitMs, 100);
  assertAlmostEquals(takeToken(empty, PER_MINUTE, 65).waitMs, 40);
  assertEquals(takeToken(empty, PER_MINUTE, 106).waitMs, 0);
});

Deno.test("takeToken() never gives more than the bucket and its refill, whenever it is asked", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2_000 }), { minLength: 1, maxLength: 2_000 }),
      fc.integer({ min: 1, max: 100 }),
      (pauses, perMinute) => {
        let bucket: Bucket | undefined;
        let now = 0;
        let given = 0;
        for (const pause of pauses) {
          now += pause;
          const take = takeToken(bucket, perMinute, now);
          ({ bucket } = take);
          if (take.waitMs === 0) given += 1;
        }
        assert(given <= perMinute + now * perMinute / 60_000 + 1e-6);
      },
    ),
    { seed: 7 },
  );
});
