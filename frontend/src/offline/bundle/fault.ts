// What can be wrong with a bundle or on its way here. The keys are those of the server's faults and of the catalogues.

export type Refusal =
  | 'not_a_bundle'
  | 'truncated'
  | 'damaged'
  | 'bad_signature'
  | 'unknown_publisher'
  | 'key_expired'
  | 'rollback'
  | 'other_publisher'
  | 'mixed'
  | 'too_new'
  | 'no_space'
  | 'no_previous'
  | 'not_found'
  | 'no_network'
  | 'captive_portal';

/** Says by a key, and what belongs in the sentence, why a bundle was not taken. What was right before stays. */
export class BundleError extends Error {
  readonly key: `bundle.${Refusal}`;
  readonly args: Readonly<Record<string, string | number>>;

  constructor(refusal: Refusal, args: Record<string, string | number> = {}) {
    super(`bundle.${refusal}`);
    this.key = `bundle.${refusal}`;
    this.args = args;
  }
}

/** A full disk by the name that says what the learner can do. Anything else as it is. */
export function spaceFault(cause: unknown): unknown {
  return cause instanceof DOMException && cause.name === 'QuotaExceededError' ? new BundleError('no_space') : cause;
}
