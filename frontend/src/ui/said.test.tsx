import { render } from 'preact';
import { act } from 'preact/test-utils';
import { beforeEach, expect, it } from 'vitest';
import { learn } from '../i18n/words';
import { Said, said } from './said';
import { sentence } from './sentence';

let root: HTMLElement;

beforeEach(() => {
  learn({ takes: '{{.Course}} v{{.Number}}، {{.Course}}' }, 'ar');
  document.body.innerHTML = '<p id="root"></p>';
  root = document.getElementById('root') as HTMLElement;
});

it('names the language of a text that stands in for a translation', () => {
  const text = { en: 'Leaves', ar: 'أوراق', fr: 'Leaves' };
  expect(said({ text, source: 'en' })).toEqual({ text: 'أوراق' });
  expect(said({ text: { ...text, ar: 'Feuilles' }, langs: { ar: 'fr' }, source: 'en' })).toEqual({ text: 'Feuilles', lang: 'fr' });
  // The course does not speak Arabic at all.
  expect(said({ text: { fr: 'Feuilles', en: 'Leaves' }, source: 'fr' })).toEqual({ text: 'Feuilles', lang: 'fr' });
});

it('puts elements into a sentence, wherever its language wants them', () => {
  const course = <Said of={{ text: { en: 'Leaves' }, source: 'en' }} />;
  act(() => render(sentence('ui.takes', { Number: 2 }, { Course: course }), root));
  expect(root.innerHTML).toBe('<bdi lang="en" dir="ltr">Leaves</bdi> v2، <bdi lang="en" dir="ltr">Leaves</bdi>');
});
