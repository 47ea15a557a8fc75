/**
 * The same text in memory of its own. A cell is a window onto its piece of the file and keeps all of
 * it in memory: 10,000 remembered cells can hold 600 MB.
 */
export function detached(text: string): string {
  return text.split("").join("");
}
