/**
 * Outbound webhooks, with all that goes wrong with them: late, twice, never, out of order, tried again.
 *
 * An event is in the journal from the work that announced it until it is delivered or given up, so a sandbox
 * that was killed goes on telling; like real providers it may then tell again what was heard already.
 */

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { SeededRandom } from "./random.ts";
import { Recent } from "./recent.ts";
import type { WebhookEvent, World } from "./world.ts";

/** The provider's own form of a webhook. */
export type WebhookFormat<T extends World> = {
  /** What is sent; signatures are made here, with `settings.webhooks.secret`. */
  readonly request: (
    event: T["event"],
    attempt: { readonly number: number; readonly atMs: number; readonly settings: T["settings"] },
  ) => { readonly body: string; readonly headers: Readonly<Record<string, string>> };
  /** Whether the merchant's answer ends the delivery; any 2xx where not given. */
  readonly accepted?: (status: number, text: string) => boolean;
};

/** One attempt, or the loss of an event. */
export type DeliveryEntry = {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: string;
  readonly type: string;
  readonly payment: string;
  /** 1, or 2 for a duplicate. */
  readonly copy: number;
  /** From 1 on; 0 for an event that is lost. */
  readonly attempt: number;
  /** The merchant's status, or why there is none. */
  outcome: number | "sending" | "no_answer" | "dropped";
  accepted: boolean;
};

export type WebhooksView = {
  readonly received: number;
  readonly forgotten: number;
  readonly deliveries: readonly DeliveryEntry[];
  /** Deliveries that are neither accepted nor given up. */
  readonly waiting: number;
};

type Delivery<E> = { readonly event: E; readonly copy: number; attempts: number };

const CONCURRENCY = 8;
const MAX_RETRY_MS = 60 * 60 * 1000;
const MAX_ANSWER_BYTES = 64 * 1024;

export type WebhookSurroundings<T extends World> = {
  readonly format: WebhookFormat<T>;
  readonly settings: () => T["settings"];
  readonly random: SeededRandom;
  /** Called once for each event that needs no more delivering. */
  readonly done: (eventId: string) => void;
};

export class WebhookSender<T extends World> {
  readonly #around: WebhookSurroundings<T>;
  readonly #recent = new Recent<DeliveryEntry>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** How many copies of an event are still under way. */
  readonly #copies = new Map<string, number>();
  #ready: Delivery<T["event"]>[] = [];
  #held: Delivery<T["event"]>[] = [];
  #sending = new AbortController();
  #running = 0;

  constructor(around: WebhookSurroundings<T>) {
    this.#around = around;
  }

  /** Takes an event on its way, through what the settings make of it. */
  send(event: T["event"]): void {
    const { random } = this.#around;
    const settings = this.#around.settings().webhooks;
    const name = event.identity ?? event.id;
    const chance = (what: string): number => random.draw(`webhook ${what} ${name}`);
    if (chance("drop") < settings.dropProbability) {
      this.#note({ event, copy: 1, attempts: 0 }, "dropped");
      return this.#around.done(event.id);
    }
    const copies = chance("duplicate") < settings.duplicateProbability ? 2 : 1;
    this.#copies.set(event.id, copies);
    for (let copy = 1; copy <= copies; copy++) {
      const delivery = { event, copy, attempts: 0 };
      this.#after(settings.delayMs + chance("delay") * settings.jitterMs, () => this.#arrange(delivery));
    }
  }

  /** Goes on with what waited for an address, or for the provider to be up. */
  resume(): void {
    this.#pump();
  }

  view(since: number): WebhooksView {
    const { entries, ...counts } = this.#recent.view(since);
    const waiting = [...this.#copies.values()].reduce((sum, copies) => sum + copies, 0);
    return { ...counts, deliveries: entries, waiting };
  }

  /** Drops everything that is on its way. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#copies.clear();
    this.#ready = [];
    this.#held = [];
    this.#sending.abort();
    this.#sending = new AbortController();
  }

  clear(): void {
    this.stop();
    this.#recent.clear();
  }

  #after(delayMs: number, then: () => void): void {
    if (delayMs <= 0) return then();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Makes a delivery ready, or holds it until the window ends and its order with others is changed. */
  #arrange(delivery: Delivery<T["event"]>): void {
    const { reorder, reorderWindowMs } = this.#around.settings().webhooks;
    if (!reorder) {
      this.#ready.push(delivery);
      return this.#pump();
    }
    this.#held.push(delivery);
    if (this.#held.length > 1) return;
    this.#after(Math.max(1, reorderWindowMs), () => {
      const held = this.#held;
      this.#held = [];
      this.#ready.push(...this.#mixed(held));
      this.#pump();
    });
  }

  /** Another order than the given one, wherever there is another. */
  #mixed(held: readonly Delivery<T["event"]>[]): Delivery<T["event"]>[] {
    const drawn = held.map((delivery) => {
      const name = delivery.event.identity ?? delivery.event.id;
      return { delivery, at: this.#around.random.draw(`webhook order ${name}`) };
    });
    const mixed = drawn.sort((a, b) => a.at - b.at).map(({ delivery }) => delivery);
    return mixed.every((delivery, index) => delivery === held[index]) ? mixed.reverse() : mixed;
  }

  #pump(): void {
    const { down, webhooks } = this.#around.settings();
    while (!down && this.#running < CONCURRENCY) {
      const index = this.#ready.findIndex(({ event }) => (event.url ?? webhooks.url) !== null);
      const [delivery] = index < 0 ? [] : this.#ready.splice(index, 1);
      if (delivery === undefined) return;
      this.#running++;
      void this.#attempt(delivery, delivery.event.url ?? webhooks.url ?? "").finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  async #attempt(delivery: Delivery<T["event"]>, url: string): Promise<void> {
    const settings = this.#around.settings();
    const { signal } = this.#sending;
    delivery.attempts++;
    const entry = this.#note(delivery, "sending");
    const sent = this.#around.format.request(delivery.event, {
      number: delivery.attempts,
      atMs: entry.at,
      settings,
    });
    const answer = await post(url, sent, settings.webhooks.timeoutMs, signal);
    entry.outcome = answer?.status ?? "no_answer";
    entry.accepted = answer !== null && this.#accepts(answer);
    if (signal.aborted) return;
    if (entry.accepted || delivery.attempts >= settings.webhooks.maxAttempts) {
      return this.#end(delivery.event.id);
    }
    const waitMs = Math.min(MAX_RETRY_MS, settings.webhooks.retryDelayMs * 2 ** (delivery.attempts - 1));
    this.#after(Math.max(1, waitMs), () => {
      this.#ready.push(delivery);
      this.#pump();
    });
  }

  #accepts({ status, text }: { readonly status: number; readonly text: string }): boolean {
    return this.#around.format.accepted?.(status, text) ?? (status >= 200 && status < 300);
  }

  #end(eventId: string): void {
    const left = (this.#copies.get(eventId) ?? 1) - 1;
    if (left > 0) return void this.#copies.set(eventId, left);
    this.#copies.delete(eventId);
    this.#around.done(eventId);
  }

  #note(delivery: Delivery<WebhookEvent>, outcome: DeliveryEntry["outcome"]): DeliveryEntry {
    const { event, copy, attempts: attempt } = delivery;
    const { id, type, payment } = event;
    const about = { event: id, type, payment, copy, attempt };
    return this.#recent.add((sequence) => ({
      sequence,
      at: Date.now(),
      ...about,
      outcome,
      accepted: false,
    }));
  }
}

/** One POST on a connection of its own. Null where no whole answer came in time. */
function post(
  url: string,
  sent: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
  timeoutMs: number,
  stopped: AbortSignal,
): Promise<{ status: number; text: string } | null> {
  return new Promise((resolve) => {
    const start = url.startsWith("https:") ? httpsRequest : httpRequest;
    const headers = { ...sent.headers, "content-length": Buffer.byteLength(sent.body) };
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]);
    const outgoing = start(url, { method: "POST", agent: false, headers, signal }, (message) => {
      let text = "";
      message.setEncoding("utf8");
      message.on("data", (part: string) => {
        if (text.length < MAX_ANSWER_BYTES) text += part;
      });
      message.on("end", () => resolve({ status: message.statusCode ?? 0, text }));
      message.on("error", () => resolve(null));
      message.on("close", () => resolve(null));
    });
    outgoing.on("error", () => resolve(null));
    outgoing.end(sent.body);
  });
}
