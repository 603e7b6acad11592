/** What a gateway tells of one request. */
export interface GatewayEvent {
  timestamp: string;
  source: string;
  event_type: string;
  payload: Readonly<Record<string, unknown>>;
}

/** The events on their way through Kafka to ClickHouse, and there. */
export class EventStore {
  readonly #delay: number;
  readonly #events: { event: GatewayEvent; from: number }[] = [];

  /** @param delay milliseconds after which an event can be read */
  constructor(delay: number) {
    this.#delay = delay;
  }

  add(event: GatewayEvent): void {
    this.#events.push({ event, from: Date.now() + this.#delay });
  }

  /** The newest events of a server that have arrived, the newest first. */
  of(namespace: string, server: string, limit: number): GatewayEvent[] {
    const now = Date.now();
    return this.#events
      .filter(
        ({ event, from }) => from <= now && event.payload.namespace === namespace && event.payload.server === server,
      )
      .map(({ event }) => event)
      .reverse()
      .slice(0, limit);
  }
}
