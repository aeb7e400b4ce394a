/**
 * Bounds how many payment operations this process works on at once. Load is refused here, before commit 1, and
 * nowhere later: refusing a commit after a charge would manufacture unknown outcomes. Whoever is let in has its
 * place until its commit 2.
 */
export type Admission = {
  /** Runs `work` if there is room, else answers null at once. */
  admit<T>(work: () => Promise<T>): Promise<T | null>;
  readonly inFlight: number;
};

export function createAdmission(limit: number): Admission {
  let inFlight = 0;
  return {
    async admit(work) {
      if (inFlight >= limit) return null;
      inFlight++;
      try {
        return await work();
      } finally {
        inFlight--;
      }
    },
    get inFlight() {
      return inFlight;
    },
  };
}
