import { Kind, parse } from "graphql";
import { type Answered, ask, type GraphqlAnswer, type GraphqlRequest, Obstacle } from "./api.ts";
import { type Ask, OwnPayments } from "./own-payments.ts";
import { type FilledIn, fillIn, type Placeholder } from "./placeholders.ts";

export type Runner = (request: GraphqlRequest) => Promise<GraphqlAnswer>;

export type RunnerOptions = {
  readonly key: string;
  /** Asked for at each run: the token may change, and the schema need not be fetched again for it. */
  readonly token: () => string;
  /** Called before an operation is sent, with what its placeholders became. */
  readonly onFilledIn: (filledIn: readonly FilledIn[]) => void;
  /** The key was refused: it has been revoked since it was last accepted. */
  readonly onRefused: () => void;
};

/** Runs operations with one key: fills in their placeholders, sends them, and remembers the payments made. */
export function createRunner({ key, token, onFilledIn, onRefused }: RunnerOptions): Runner {
  const own = new OwnPayments();

  const send: Ask = async (request) => {
    if (key === "") throw new Obstacle("Paste a secret key (sk_…) into the field at the top first.");
    const answered: Answered = await ask(key, request);
    if (answered.status === 401) onRefused();
    return answered;
  };

  const cardToken = (): string => {
    if (token() !== "") return token();
    throw new Obstacle(
      "Paste a card token (tok_…) into the field at the top first. `npm run tokenize` gives one for a test card.",
    );
  };

  const ownPayment = async (states: readonly string[], captureMethod: "MANUAL" | "AUTOMATIC") =>
    (await own.newest(states, send)) ?? (await own.make(captureMethod, cardToken(), send));

  const values: Record<Placeholder, () => Promise<string>> = {
    newKey: async () => crypto.randomUUID(),
    cardToken: async () => cardToken(),
    // Only read, never changed, by the examples: it may be any payment of the account.
    payment: async () => {
      const { answer } = await send({ query: "query NewestPayment { payments(first: 1) { nodes { id } } }" });
      const { nodes } = (answer.data?.["payments"] ?? { nodes: [] }) as { nodes: { id: string }[] };
      return nodes[0]?.id ?? own.make("AUTOMATIC", cardToken(), send);
    },
    authorizedPayment: () => ownPayment(["AUTHORIZED"], "MANUAL"),
    capturedPayment: () => ownPayment(["CAPTURED", "PARTIALLY_REFUNDED"], "AUTOMATIC"),
  };

  const run: Runner = async ({ query, variables, operationName }) => {
    const { variables: filled, filledIn } = await fillIn(variables, (name) => values[name]());
    // The schema is asked for now and then in between: that is no run of the person's.
    if (operationName !== "IntrospectionQuery") onFilledIn(filledIn);
    const { answer } = await send({ query, variables: filled, operationName: nameIn(query, operationName) });
    own.note(answer);
    return answer;
  };

  return (request) =>
    run(request).catch((error: unknown) => {
      // In the place and shape of an answer, and without a stack.
      if (error instanceof Obstacle) return { errors: [{ message: error.message }] };
      throw error;
    });
}

/**
 * GraphiQL learns the operation's name a moment after a tab is opened, and until then would run it by the name of
 * the last tab's. A document with one operation needs no name.
 */
function nameIn(query: string, name: string | null | undefined): string | undefined {
  try {
    const names = parse(query).definitions.map((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION ? definition.name?.value : undefined,
    );
    return names.find((one) => one === name);
  } catch {
    return undefined; // The platform says what is wrong with it.
  }
}
