/** Longer names are not compared: the cost of comparing grows with the product of the lengths. */
const LONGEST = 64;

/** How many letters have to be changed, added, dropped or swapped with a neighbour (restricted Damerau-Levenshtein). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + same,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, (beforeLast[column - 2] ?? 0) + 1);
      current.push(least);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? 0;
}

/** The known name that `wrong` was most likely meant to be, if any is near: a slip or two, or the prefix left out. */
export function nearest(wrong: string, known: Iterable<string>): string | null {
  if (wrong.length > LONGEST) return null;
  const lower = wrong.toLowerCase();
  let [best, least]: [string | null, number] = [null, Math.max(1, Math.floor(wrong.length / 3)) + 0.5];
  for (const name of known) {
    if (name.length > LONGEST) continue;
    if (name.endsWith(`.${lower}`) && least > 0.5) [best, least] = [name, 0.5];
    const steps = distance(lower, name.toLowerCase());
    if (steps < least) [best, least] = [name, steps];
  }
  return best;
}

/** "; did you mean "x"?" or nothing. */
export function suggestion(wrong: string, known: Iterable<string>): string {
  const near = nearest(wrong, known);
  return near === null ? "" : `; did you mean "${near}"?`;
}
