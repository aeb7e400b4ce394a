/** A GraphQL request through the edge; throws on transport errors and on `errors`, with their words. */
export async function graphql<T>(
  edgeUrl: string,
  key: string,
  query: string,
  variables: object = {},
): Promise<{ data: T; timing: ReadonlyMap<string, number> }> {
  const response = await fetch(`${edgeUrl}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as { data?: T; errors?: { message: string }[] };
  if (body.errors !== undefined || body.data === undefined) {
    throw new Error(body.errors?.map(({ message }) => message).join("; ") ?? `HTTP ${response.status}`);
  }
  return { data: body.data, timing: readTiming(response.headers.get("server-timing") ?? "") };
}

/** `name;dur=1.2, …` as a map from name to ms. */
function readTiming(header: string): Map<string, number> {
  return new Map([...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map((m) => [m[1] as string, Number(m[2])]));
}
