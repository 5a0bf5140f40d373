import { latinDigits } from '../../i18n/number-input';

/**
 * Makes short answers comparable, step by step as Fold in internal/curriculum/quiz/answer.go, whose testdata/fold.json
 * holds both to the same pairs.
 */
export function fold(text: string): string {
  const bare = text.normalize('NFKD').replace(/[\p{Mn}\p{Cf}\u0640]/gu, '');
  // toLowerCase gives a sigma at a word's end its final form.
  return latinDigits(bare).toUpperCase().toLowerCase().replace(/ς/g, 'σ').replace(/\s+/g, ' ').trim();
}
