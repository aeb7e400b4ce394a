import { runVectors, type Vectors } from "./wycheproof.ts";

/** A worker for the tests only: runs the vectors that it is sent, inside workerd. */
export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await runVectors((await request.json()) as Vectors));
  },
};
