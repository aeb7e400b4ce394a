/** Something that must not be, with what it takes to look at it. */
export type Problem = {
  /** One word or two for what kind it is: problems are counted by it. */
  readonly check: string;
  /** Ids, amounts, states: everything that a search through logs and tables needs. */
  readonly message: string;
  /** The planned payment, if it is about one. */
  readonly payment: number | null;
};

/** The problems of a run. */
export class Problems {
  readonly all: Problem[] = [];

  add(check: string, message: string, payment: number | null = null): void {
    this.all.push({ check, message, payment });
  }
}
