/** Somebody else is signed in by now: nothing of this learner may go out in their name. */
export class Elsewhere extends Error {}
