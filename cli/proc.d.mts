/** A process that cannot be mistaken for a later one with the same number. */
export type ProcessIdentity = { readonly pid: number; readonly ticks: string; readonly boot: string };

export function bootId(): string | null;
export function identityOf(pid: number): ProcessIdentity | null;
export function isAlive(known: ProcessIdentity): boolean;
export function parentOf(pid: number): number | null;
export function commandLineOf(pid: number): string;
