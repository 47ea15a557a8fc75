import { assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { KEY_BYTES, makeApiKey, readApiKey } from "../../core/api_key.ts";

const random = Uint8Array.from({ length: KEY_BYTES }, (_, index) => 7 * index);

Deno.test("makeApiKey() hashes the 256 bits of the secret and shows the prefix", () => {
  const { key, prefix, secretHash } = makeApiKey(random);
  assertMatch(key, /^adstrata_00070e151c_[\w-]{43}$/);
  assertEquals(prefix, "00070e151c");
  assertEquals([...secretHash], [...createHash("sha256").update(random.subarray(5)).digest()]);
});

Deno.test("readApiKey() takes apart what makeApiKey() made", () => {
  const { key, prefix, secretHash } = makeApiKey(random);
  assertEquals(readApiKey(key), { prefix, secretHash });
});

Deno.test("readApiKey() is null for what cannot be a key", () => {
  const { key } = makeApiKey(random);
  for (const text of ["", "adstrata_", key.slice(0, -1), `${key}A`, ` ${key}`, key.toUpperCase()]) {
    assertEquals(readApiKey(text), null);
  }
});
