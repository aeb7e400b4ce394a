/**
 * The regions. A merchant has one home region; its number is part of every id. One machine can run them all:
 * where a region's endpoints and database are is the deployment's business (`regions/config.ts`).
 */
export type Region = {
  readonly name: RegionName;
  /** 0..255, carried in ids: never reused. */
  readonly number: number;
  /** Data of this zone's merchants stays in it. */
  readonly residency: "EU" | "US" | "AP";
};

export type RegionName = keyof typeof REGIONS;

export const REGIONS = {
  "eu-1": { number: 1, residency: "EU" },
  "eu-2": { number: 2, residency: "EU" },
  "us-1": { number: 3, residency: "US" },
  "ap-1": { number: 4, residency: "AP" },
} as const satisfies Record<string, Omit<Region, "name">>;

export function regionNamed(name: string): Region {
  if (!(name in REGIONS)) {
    throw new Error(`there is no region "${name}": REGION is one of ${Object.keys(REGIONS).join(", ")}`);
  }
  return { name: name as RegionName, ...REGIONS[name as RegionName] };
}
