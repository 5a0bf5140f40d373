import { beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../vite/words';
import { formatDate, formatNumber, formatPercent, learn, loadWords, locale, t } from './words';

const days = { zero: 'لا أيام', one: 'يوم', two: 'يومان', few: '{{.Count}} أيام', many: '{{.Count}} يومًا', other: '{{.Count}} يوم' };

describe('words', () => {
  beforeEach(() => learn({ days: { one: '{{.Count}} day', other: '{{.Count}} days' }, hello: 'Hello, {{.Name}}!' }, 'en'));

  it('fills in arguments', () => {
    expect(t('ui.hello', { Name: '<b>$&</b>' })).toBe('Hello, <b>$&</b>!');
    expect(t('ui.hello')).toBe('Hello, !');
  });

  it('chooses the form of the number', () => {
    expect([0, 1, 2, 1500].map((Count) => t('ui.days', { Count }))).toEqual(['0 days', '1 day', '2 days', '1,500 days']);
  });

  it('knows the six forms of Arabic', () => {
    learn({ days }, 'ar');
    const said = [0, 1, 2, 3, 10, 11, 99, 100, 102].map((Count) => t('ui.days', { Count }));
    expect(said).toEqual(['لا أيام', 'يوم', 'يومان', '3 أيام', '10 أيام', '11 يومًا', '99 يومًا', '100 يوم', '102 يوم']);
  });

  it('isolates a name that runs the other way, and no other', () => {
    learn({ hello: 'مرحبًا {{.Name}}، 23' }, 'ar');
    expect(t('ui.hello', { Name: 'Amina' })).toBe('مرحبًا \u2068Amina\u2069، 23');
    expect(t('ui.hello', { Name: 'أمينة' })).toBe('مرحبًا أمينة، 23');
    learn({ hello: 'Hello, {{.Name}}!' }, 'en');
    expect(t('ui.hello', { Name: 'أمينة' })).toBe('Hello, \u2068أمينة\u2069!');
    expect(t('ui.hello', { Name: 'Amina' })).toBe('Hello, Amina!');
  });

  it('shows the key of a missing word', () => expect(t('ui.no.such')).toBe('ui.no.such'));

  it('writes numbers and dates as the pages do', () => {
    learn({}, 'ar');
    expect(formatNumber(1234.5)).toMatch(/^1.234.5$/);
    expect(formatPercent(0.7)).toMatch(/70/);
    expect(formatDate('2026-11-23T12:00:00Z')).toMatch(/23 نوفمبر 2026/);
  });

  it('loads a part, and English for a language that it does not speak', async () => {
    await loadWords('ar-EG');
    expect(locale()).toBe('ar');
    expect(t('ui.sign_in')).toBe('تسجيل الدخول');
    await loadWords('is');
    expect(locale()).toBe('en');
    expect(t('ui.sign_in')).toBe('Sign in');
  });
});

describe('compile', () => {
  const english = { 'ui.a': 'A', 'ui.app.b': 'B', 'quiz.c': 'C', 'ui.d': 'D', 'ui.lab.e': 'E', 'ui.label': 'F' };

  it('keeps one part, with English where words are missing', () => {
    expect(compile({ 'ui.a': 'ا', 'ui.app.b': 'ب', 'quiz.c': 'ج' }, english, 'page')).toEqual({ a: 'ا', d: 'D', label: 'F' });
    expect(compile({ 'ui.lab.e': 'ه' }, english, 'lab')).toEqual({ 'lab.e': 'ه' });
    expect(compile({ 'ui.a': 'ا' }, english, 'app')).toEqual({ 'app.b': 'B' });
  });
});
