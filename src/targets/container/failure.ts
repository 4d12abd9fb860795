/** Where a container broke. */
export type ContainerFailureClass =
  | "refused_image"
  | "refused_network"
  | "image"
  | "start"
  | "exit"
  | "oom"
  | "timeout"
  | "engine"
  | "aborted"
  | "internal";

export class ContainerFailure extends Error {
  readonly class: ContainerFailureClass;

  constructor(failure: ContainerFailureClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.class = failure;
  }
}

/** What the engine answers when it does not do what it is asked. */
export class EngineError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whatever was thrown, as a failure; a refusal of the engine's is of the given class. */
export function asFailure(error: unknown, refusal: ContainerFailureClass): ContainerFailure {
  if (error instanceof ContainerFailure) return error;
  if (error instanceof EngineError) {
    return new ContainerFailure(refusal, error.message, { cause: error });
  }
  return new ContainerFailure("internal", String(error), { cause: error });
}
