/**
 * Why a target's secrets were of no use: the app has none of this name, one cannot be sent where it is
 * to be sent, or one cannot be read where the dispatcher runs.
 */
export type SecretProblem = "secret_missing" | "secret" | "secret_unreadable";

/** A secret that cannot be used. The message has its name, never its value. */
export class SecretError extends Error {
  readonly class: SecretProblem;

  constructor(problem: SecretProblem, message: string) {
    super(message);
    this.class = problem;
  }
}
