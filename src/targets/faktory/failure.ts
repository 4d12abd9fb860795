/** Where a push broke. */
export type FaktoryFailureClass =
  | "unknown_instance"
  | "connect"
  | "tls"
  | "timeout"
  | "reset"
  | "protocol"
  | "password"
  | "refused"
  | "aborted"
  | "internal";

/** Something that went wrong between here and a Faktory server. */
export class FaktoryFailure extends Error {
  readonly class: FaktoryFailureClass;

  constructor(failure: FaktoryFailureClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.class = failure;
  }
}
