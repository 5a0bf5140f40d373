import type { components } from './schema.gen';

type Wire = components['schemas']['Problem'];

/** What the server refused, in the reader's language. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number | undefined;
  readonly errors: NonNullable<Wire['errors']>;
  readonly requestID: string;

  constructor(wire: Partial<Wire>, status: number) {
    super(wire.detail || wire.title || '');
    this.status = status;
    this.code = wire.code ?? '';
    this.retryAfter = wire.retry_after;
    this.errors = wire.errors ?? [];
    this.requestID = wire.request_id ?? '';
  }

  /** What is wrong with one field of a form, by its JSON name. */
  field(name: string): string | undefined {
    return this.errors.find((error) => error.pointer === `/${name}`)?.detail;
  }
}

/** The server was not reached. No fault of the reader, and nothing is lost. */
export class Unreached extends Error {}
