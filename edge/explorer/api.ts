/** Something that the person can mend, in words for them; everything else that is thrown is a fault of the page. */
export class Obstacle extends Error {}

/** One GraphQL request to this origin. */
export type GraphqlRequest = {
  readonly query: string;
  readonly variables?: unknown;
  readonly operationName?: string | null | undefined;
};

export type GraphqlError = { readonly message: string; readonly extensions?: { readonly code?: string } };

export type GraphqlAnswer = {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphqlError[];
};

export type Answered = { readonly status: number; readonly answer: GraphqlAnswer };

/**
 * Sends a request with the key in its header.
 * @throws Obstacle if nothing answered or the answer is not GraphQL's
 */
export async function ask(key: string, request: GraphqlRequest): Promise<Answered> {
  let response: Response;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: JSON.stringify(request),
      cache: "no-store",
      credentials: "omit",
    });
  } catch {
    throw new Obstacle("The platform does not answer. Is it still running?");
  }
  const text = await response.text();
  try {
    return { status: response.status, answer: JSON.parse(text) as GraphqlAnswer };
  } catch {
    throw new Obstacle(`The platform answered with status ${response.status}, and not in JSON.`);
  }
}
