import type { ProviderTransport } from "../connectors/transport.ts";
import type { Admission } from "./admission.ts";

/** The ways out to providers, on which a request takes nothing of ours while it waits for the answer. */
export const awayAtProviders = (transport: ProviderTransport, admission: Admission): ProviderTransport => ({
  ...transport,
  sendFor(name, merchant) {
    const send = transport.sendFor(name, merchant);
    return (request, reference) => admission.away(() => send(request, reference));
  },
});
