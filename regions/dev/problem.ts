export type ProblemCode =
  | "BAD_SETTING"
  | "FOLDER_NOT_USABLE"
  | "FOLDER_IN_USE"
  | "PORTS_BUSY"
  | "SERVICE_NOT_READY"
  | "STOPPING"
  | "POSTGRES_CLUSTER"
  | "POSTGRES_FAILED"
  | "MIGRATION_FAILED";

/**
 * The start cannot go on for a reason that its user can act on. The message says what and what to do, and is
 * meant to be printed as it is, without a stack.
 */
export class StartProblem extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string) {
    super(message);
    this.name = "StartProblem";
    this.code = code;
  }
}
