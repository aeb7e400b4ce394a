const DAY_MS = 86_400_000;

const isWeekend = (day: Date): boolean => day.getUTCDay() === 0 || day.getUTCDay() === 6;

/** A calendar day in UTC as YYYY-MM-DD. */
export const dayOf = (instant: Date): string => instant.toISOString().slice(0, 10);

/**
 * The day on which money captured at `capturedAt` can be paid out: `delayDays` business days later, in UTC;
 * Saturdays and Sundays are none. A capture at a weekend counts from Monday on.
 */
export function availableOn(capturedAt: Date, delayDays: number): string {
  let day = new Date(`${dayOf(capturedAt)}T00:00:00Z`);
  while (isWeekend(day)) day = new Date(day.getTime() + DAY_MS);
  for (let left = delayDays; left > 0; ) {
    day = new Date(day.getTime() + DAY_MS);
    if (!isWeekend(day)) left--;
  }
  return dayOf(day);
}
