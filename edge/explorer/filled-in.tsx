import type { FilledIn } from "./placeholders.ts";

/** Below an answer: what the run's placeholders became, so that nothing was sent that one cannot see. */
export function FilledInList({ filledIn }: { readonly filledIn: readonly FilledIn[] }) {
  return (
    <dl className="filled-in" aria-label="What the placeholders became">
      {filledIn.map(({ name, value }) => (
        <div key={name}>
          <dt>{`{{${name}}}`}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
