/** Numbers for people: three digits that mean something. */
export function figure(value: number | null, digits = 3): string {
  if (value === null || Number.isNaN(value)) return "-";
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value))) + 1;
  return value.toFixed(Math.max(0, Math.min(digits, digits - size)));
}

/** A share (0..1). */
export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
