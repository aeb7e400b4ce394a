export type Platform = {
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
};

export type LockFile = { packages: Record<string, Record<string, unknown>> };

export function platformOf(name: string): Platform | null;
export function completeLock(lock: LockFile): readonly string[];
