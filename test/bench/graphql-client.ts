import { Pool } from "undici";

/** One GraphQL document, posted again and again with other variables over kept connections. */
export type GraphqlClient = {
  post<T>(document: string, variables: object, headers: Readonly<Record<string, string>>): Promise<T>;
  close(): Promise<void>;
};

/** @param origin without a path; `connections` is how many requests can be under way at once */
export function graphqlClient(origin: string, connections: number): GraphqlClient {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  return {
    async post<T>(query: string, variables: object, headers: Readonly<Record<string, string>>) {
      const response = await pool.request({
        method: "POST",
        path: "/graphql",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ query, variables }),
      });
      const text = await response.body.text();
      if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`);
      const { data, errors } = JSON.parse(text) as { data?: T; errors?: readonly { message: string }[] };
      if (errors !== undefined || data === undefined)
        throw new Error(errors?.map(({ message }) => message).join("; ") ?? "an answer without data");
      return data;
    },
    close: () => pool.close(),
  };
}
