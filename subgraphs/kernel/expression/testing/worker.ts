import { answersOf } from "./answers.ts";

/** A worker for the tests only: evaluates inside workerd what it is sent. */
export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(answersOf((await request.json()) as number[][]));
  },
};
