/** Stripe's request encoding: form fields with brackets for what is nested, `a[b][0]=c`. */
export type FormValue = string | number | boolean | undefined | FormValue[] | { [key: string]: FormValue };

function append(fields: URLSearchParams, name: string, value: FormValue): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    value.forEach((item, index) => append(fields, `${name}[${index}]`, item));
  } else if (typeof value === "object") {
    for (const [key, item] of Object.entries(value)) append(fields, `${name}[${key}]`, item);
  } else {
    fields.append(name, String(value));
  }
}

export function encodeForm(parameters: object): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) append(fields, name, value as FormValue);
  return fields.toString();
}
