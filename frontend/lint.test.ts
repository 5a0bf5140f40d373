// Breaks each rule of eslint.config.js once and wants it found.
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

const eslint = new ESLint();

async function found(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return (result?.messages ?? []).map(({ ruleId }) => ruleId ?? 'parse');
}

const planted: [what: string, file: string, code: string, rule: string][] = [
  ['a feature in a feature', 'src/features/lab/x.ts', "import '../quiz/mark';", 'no-restricted-imports'],
  ['a feature from outside in a feature', 'src/features/lab/x.ts', "import '../../features/quiz/mark';", 'no-restricted-imports'],
  ['a feature in ui', 'src/ui/x.ts', "import '../features/quiz/mark';", 'no-restricted-imports'],
  ['a feature in learner', 'src/learner/x.ts', "import '../features/quiz/mark';", 'no-restricted-imports'],
  ['ui in offline', 'src/offline/x.ts', "import '../ui/bar';", 'no-restricted-imports'],
  ['offline in api', 'src/api/x.ts', "import '../offline/db';", 'no-restricted-imports'],
  ['a feature in the service worker', 'src/sw/x.ts', "import '../features/lab/lab';", 'no-restricted-imports'],
  ['fetch outside the client', 'src/features/lab/x.ts', "export const x = () => fetch('/api/me');", 'no-restricted-globals'],
  ['fetch by its full name', 'src/features/lab/x.ts', "export const x = () => window.fetch('/api/me');", 'no-restricted-properties'],
  ['an API newer than Chrome 80', 'src/ui/x.ts', "export const x = (s: string) => s.replaceAll('a', 'b');", 'no-restricted-syntax'],
  ['Array.at', 'src/ui/x.ts', 'export const x = (s: string[]) => s.at(-1);', 'no-restricted-syntax'],
  ['AbortSignal.timeout', 'src/ui/x.ts', 'export const x = () => AbortSignal.timeout(1);', 'no-restricted-syntax'],
  ['structuredClone', 'src/ui/x.ts', 'export const x = (y: object) => structuredClone(y);', 'no-restricted-globals'],
  ['raw markup', 'src/ui/x.tsx', "export const x = () => <p dangerouslySetInnerHTML={{ __html: '' }} />;", 'no-restricted-syntax'],
  ['innerHTML', 'src/ui/x.ts', "export const x = (e: Element) => { e.innerHTML = ''; };", 'no-restricted-syntax'],
  ['words in JSX', 'src/ui/x.tsx', 'export const x = () => <p>Hello</p>;', 'no-restricted-syntax'],
  ['words in an attribute', 'src/ui/x.tsx', 'export const x = () => <p aria-label="Hello" />;', 'no-restricted-syntax'],
  ['words in Arabic', 'src/ui/x.tsx', 'export const x = () => <p>مرحبا</p>;', 'no-restricted-syntax'],
  ['words in braces', 'src/ui/x.tsx', "export const x = () => <p>{'Hello'}</p>;", 'no-restricted-syntax'],
  ['words in a fragment', 'src/ui/x.tsx', "export const x = () => <>{'Hello'}</>;", 'no-restricted-syntax'],
  ['words in a template', 'src/ui/x.tsx', 'export const x = (n: number) => <p>{`${n} lessons`}</p>;', 'no-restricted-syntax'],
  ['words in a choice', 'src/ui/x.tsx', "export const x = (on: boolean) => <p>{on ? 'Yes' : null}</p>;", 'no-restricted-syntax'],
  ['words under a condition', 'src/ui/x.tsx', "export const x = (on: boolean) => <p>{on && 'Yes'}</p>;", 'no-restricted-syntax'],
  ['words for want of others', 'src/ui/x.tsx', "export const x = (s?: string) => <p>{s ?? 'none'}</p>;", 'no-restricted-syntax'],
  ['words put together', 'src/ui/x.tsx', "export const x = (s: string) => <p>{'Hello ' + s}</p>;", 'no-restricted-syntax'],
  ['words in an attribute in braces', 'src/ui/x.tsx', "export const x = () => <p aria-label={'Hello'} />;", 'no-restricted-syntax'],
  ['words in a template of an attribute', 'src/ui/x.tsx', 'export const x = (n: number) => <img alt={`Figure ${n}`} />;', 'no-restricted-syntax'],
  ['words in a placeholder', 'src/ui/x.tsx', 'export const x = () => <input placeholder="Hello" />;', 'no-restricted-syntax'],
  ['words in a property of ours', 'src/ui/x.tsx', "export const x = ({ F }: { F: () => null }) => <F {...{}} label={'Name'} />;", 'no-restricted-syntax'],
  ['words set on an element', 'src/ui/x.ts', "export const x = (e: HTMLElement) => { e.textContent = 'Hello'; };", 'no-restricted-syntax'],
  ['words in a dialogue of the browser', 'src/ui/x.ts', "export const x = () => confirm('Sure?');", 'no-restricted-syntax'],
  ['words in a complaint of a field', 'src/ui/x.ts', "export const x = (e: HTMLInputElement) => e.setCustomValidity('Too long');", 'no-restricted-syntax'],
  ['a style attribute', 'src/ui/x.tsx', "export const x = () => <p style={{ color: 'red' }} />;", 'no-restricted-syntax'],
  ['a hook under a condition', 'src/ui/x.tsx', "import { useId } from 'preact/hooks';\nexport function X({ a }: { a: boolean }) { if (a) useId(); return null; }", 'react-hooks/rules-of-hooks'],
];

describe('lint', () => {
  it.each(planted)('finds %s', async (_, file, code, rule) => {
    expect(await found(file, `${code}\n`)).toContain(rule);
  });

  it('lets the client fetch, and what is allowed pass', async () => {
    expect(await found('src/api/client.ts', "export const x = () => globalThis.fetch('/api/me');\n")).toEqual([]);
    expect(await found('src/features/lab/x.ts', "import '../../offline/db';\nimport './lab';\n")).toEqual([]);
    expect(await found('src/ui/x.tsx', 'export const x = ({ at }: { at: string }) => <p>{at} · </p>;\n')).toEqual([]);
    const signs = "export const x = ({ at }: { at: string }) => <p class={at ? 'good' : `is-${at}`} aria-hidden=\"true\">{at === 'plain' ? `${at} · x` : t('ui.close')}</p>;";
    expect(await found('src/ui/x.tsx', `import { t } from '../i18n/words';\n${signs}\n`)).toEqual([]);
  });
});
