/** What the ACS's pages say, in the payer's language where the bank speaks it. */

export type Words = {
  /** BCP 47, for the page's `lang`. */
  readonly tag: string;
  readonly bank: string;
  readonly title: string;
  readonly intro: (amount: string, merchant: string) => string;
  readonly merchant: string;
  readonly amount: string;
  readonly card: string;
  readonly label: string;
  readonly hint: string;
  readonly wrong: (left: number) => string;
  readonly submit: string;
  readonly cancel: string;
  readonly moment: string;
  readonly back: string;
  readonly unknown: string;
};

const en: Words = {
  tag: "en",
  bank: "Sandbox Bank",
  title: "Confirm your payment",
  intro: (amount, merchant) => `Enter the code that we sent you to pay ${amount} to ${merchant}.`,
  merchant: "Merchant",
  amount: "Amount",
  card: "Card",
  label: "Code",
  hint: "In this sandbox the code is 1234.",
  wrong: (left) => `That code is not right. ${left === 1 ? "One try is left." : `${left} tries are left.`}`,
  submit: "Confirm",
  cancel: "Cancel",
  moment: "One moment…",
  back: "Back to the shop",
  unknown: "This authentication is not known.",
};

const de: Words = {
  tag: "de",
  bank: "Sandbox-Bank",
  title: "Zahlung bestätigen",
  intro: (amount, merchant) =>
    `Geben Sie den Code ein, den wir Ihnen für ${amount} an ${merchant} geschickt haben.`,
  merchant: "Händler",
  amount: "Betrag",
  card: "Karte",
  label: "Code",
  hint: "In dieser Sandbox lautet der Code 1234.",
  wrong: (left) => `Der Code stimmt nicht. ${left === 1 ? "Noch ein Versuch." : `Noch ${left} Versuche.`}`,
  submit: "Bestätigen",
  cancel: "Abbrechen",
  moment: "Einen Moment …",
  back: "Zurück zum Shop",
  unknown: "Diese Authentifizierung ist nicht bekannt.",
};

const fr: Words = {
  tag: "fr",
  bank: "Banque Sandbox",
  title: "Confirmez votre paiement",
  intro: (amount, merchant) => `Saisissez le code reçu pour payer ${amount} à ${merchant}.`,
  merchant: "Commerçant",
  amount: "Montant",
  card: "Carte",
  label: "Code",
  hint: "Dans ce bac à sable, le code est 1234.",
  wrong: (left) => `Code incorrect. ${left === 1 ? "Il reste un essai." : `Il reste ${left} essais.`}`,
  submit: "Confirmer",
  cancel: "Annuler",
  moment: "Un instant…",
  back: "Retour à la boutique",
  unknown: "Cette authentification est inconnue.",
};

const BY_LANGUAGE: Readonly<Record<string, Words>> = { en, de, fr };

/** By the first part of a BCP 47 tag; English for what the bank does not speak. */
export function wordsFor(language: string): Words {
  return BY_LANGUAGE[language.split("-")[0]?.toLowerCase() ?? ""] ?? en;
}
