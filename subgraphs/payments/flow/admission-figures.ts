import type { ClassCounts } from "./admission.ts";
import { LOAD_CLASSES, type LoadClass } from "./load-class.ts";

/** How much is under way and was turned away, as samples with their names in Prometheus's text format. */
export function admissionFigures(state: {
  readonly limit: number;
  readonly inFlight: number;
  readonly inside: number;
  readonly away: number;
  readonly paymentsLimit: number;
  readonly counts: Readonly<Record<LoadClass, Readonly<ClassCounts>>>;
  readonly waiting: (name: LoadClass) => number;
}): Readonly<Record<string, number>> {
  const figures: Record<string, number> = {
    tessera_admission_limit: state.limit,
    tessera_admission_in_flight: state.inFlight,
    tessera_admission_inside: state.inside,
    tessera_admission_payments_limit: state.paymentsLimit,
    tessera_admission_away: state.away,
  };
  for (const name of LOAD_CLASSES) {
    const { admitted, overloaded, merchantShare } = state.counts[name];
    const of = `class="${name}"`;
    figures[`tessera_admission_waiting{${of}}`] = state.waiting(name);
    figures[`tessera_admission_admitted_total{${of}}`] = admitted;
    figures[`tessera_admission_turned_away_total{${of},because="overloaded"}`] = overloaded;
    figures[`tessera_admission_turned_away_total{${of},because="merchant_share"}`] = merchantShare;
  }
  return figures;
}
