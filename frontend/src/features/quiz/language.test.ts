import { expect, it } from 'vitest';
import { withLanguage, type Quiz } from './quiz';

const quiz = (): Quiz => ({
  id: 'q',
  title: 'Q',
  graded: false,
  pass: 1,
  sections: [{ title: 'S' }],
  questions: [{ id: 'a', type: 'match', prompt: 'P', points: 1, options: [{ id: 'o', text: 'O' }], lefts: [{ id: 'l', text: 'L', lang: 'fr' }], rights: [{ id: 'r', text: 'R' }] }],
});

it('names the language of every text of a quiz that stands in for a translation', () => {
  const { sections, questions } = withLanguage({ ...quiz(), spoken: 'en' });
  expect(sections?.[0]?.lang).toBe('en');
  expect(questions[0]).toMatchObject({ lang: 'en', options: [{ lang: 'en', feedback_lang: 'en' }], lefts: [{ lang: 'fr' }], rights: [{ lang: 'en' }] });
});

it('leaves a quiz in the language of the page as it is', () => {
  expect(withLanguage(quiz())).toEqual(quiz());
});
