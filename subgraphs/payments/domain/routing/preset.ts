/** Wallets whose payments go to a provider of the same name. */
const WALLETS = ["apple_pay", "google_pay", "paypal", "klarna"] as const;

const ROUTES: readonly { readonly to: string; readonly rule: string }[] = [
  { to: "stripe", rule: '"visa": prefer stripe if method == "card" and card.brand == "visa"' },
  { to: "adyen", rule: '"mastercard": prefer adyen if method == "card" and card.brand == "mastercard"' },
  ...WALLETS.map((wallet) => ({
    to: wallet,
    rule: `"${wallet}": prefer ${wallet} if method == "wallet" and wallet == "${wallet}"`,
  })),
  {
    to: "plaid",
    rule: '"bank transfers, United States": prefer plaid if method == "bank_transfer" and payer.country == "US"',
  },
  {
    to: "mollie",
    rule: `"bank transfers, Germany, France, Netherlands": prefer mollie
  if method == "bank_transfer" and payer.country in ["DE", "FR", "NL"]`,
  },
  {
    to: "wise",
    rule: `"bank transfers, elsewhere": prefer wise if method == "bank_transfer"`,
  },
];

/**
 * Rules for a merchant to begin with: cards by their network, wallets by their name, bank transfers by the payer's
 * country. They prefer and do not insist, so that another provider takes a payment which the first cannot. Only the
 * routes to `providers` are in it.
 */
export function presetRules(providers: readonly string[]): string {
  return ROUTES.filter(({ to }) => providers.includes(to))
    .map(({ rule }) => `${rule}\n`)
    .join("");
}
