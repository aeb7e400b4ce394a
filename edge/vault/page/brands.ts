/**
 * What the card page knows of brands: enough to group digits, name the brand and catch typing errors before
 * anything is sent. The vault decides with a full table; a test holds the two to the same answers.
 */
export type BrandRule = {
  readonly name: string;
  readonly prefix: RegExp;
  readonly lengths: readonly number[];
  /** After which digits a space is shown. */
  readonly gaps: readonly number[];
  readonly cvcLength: number;
};

const FOURS = [4, 8, 12, 16];

const BRANDS: readonly BrandRule[] = [
  { name: "Visa", prefix: /^4/, lengths: [16, 18, 19], gaps: FOURS, cvcLength: 3 },
  {
    name: "Mastercard",
    prefix: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/,
    lengths: [16],
    gaps: FOURS,
    cvcLength: 3,
  },
  { name: "American Express", prefix: /^3[47]/, lengths: [15], gaps: [4, 10], cvcLength: 4 },
  { name: "Diners Club", prefix: /^3(0[0-5]|[689])/, lengths: [14, 16, 19], gaps: [4, 10], cvcLength: 3 },
  {
    name: "JCB",
    prefix: /^(2131|1800|35(2[89]|[3-8]))/,
    lengths: [16, 17, 18, 19],
    gaps: FOURS,
    cvcLength: 3,
  },
  { name: "Discover", prefix: /^(6011|64[4-9]|65)/, lengths: [16, 19], gaps: FOURS, cvcLength: 3 },
  { name: "UnionPay", prefix: /^(62|81)/, lengths: [14, 15, 16, 17, 18, 19], gaps: FOURS, cvcLength: 3 },
];

export function brandOf(digits: string): BrandRule | undefined {
  return BRANDS.find(({ prefix }) => prefix.test(digits));
}
