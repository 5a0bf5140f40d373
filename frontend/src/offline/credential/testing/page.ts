// What scripts/verify-page.mjs tries in a real browser.
import { check } from '../check';
import { takeTrust } from '../trust';

Object.assign(globalThis, { credentials: { check, takeTrust } });
