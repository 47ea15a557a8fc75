/** The stable words of the error body that every endpoint and command shares. */
export type RefusalCode =
  | "invalid_parameter"
  | "not_found"
  | "unauthorized"
  | "forbidden"
  | "conflict"
  | "rate_limited"
  | "payload_too_large"
  | "method_not_allowed"
  | "timeout"
  | "unavailable";

/**
 * A problem that the person who asked can solve. Its message is one clear sentence, shown as it is
 * on the command line (exit code 1) and over HTTP (`{code, message, details?, hint?}`).
 *
 * Anything else that is thrown is a defect: it ends in a 500 without internals, or a stack trace.
 */
export class Refusal extends Error {
  override name = "Refusal";

  /**
   * @param code The stable word that clients switch on.
   * @param message One sentence that says what is wrong, with the offending value in quotes.
   * @param hint What to do about it.
   * @param details Structured facts, such as the name of the wrong parameter.
   */
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly hint?: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }
}
