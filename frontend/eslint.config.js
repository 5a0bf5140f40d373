// The import rules of docs/architecture.md, and what the oldest browser that we serve (Chrome 80) lacks. Each message names the cure.
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const newer = {
  replaceAll: 'Chrome 85. Use replace with a /g pattern.',
  replaceChildren: 'Chrome 86. Use textContent = "" and append.',
  at: 'Chrome 92. Use an index.',
  hasOwn: 'Chrome 93. Use Object.getOwnPropertyDescriptor.',
  findLast: 'Chrome 97. Walk the list backwards.',
  findLastIndex: 'Chrome 97. Walk the list backwards.',
  toSorted: 'Chrome 110. Copy, then sort.',
  toReversed: 'Chrome 110. Copy, then reverse.',
  toSpliced: 'Chrome 110. Copy, then splice.',
  groupBy: 'Chrome 117. Fill a Map.',
  randomUUID: 'Chrome 92, and version 4. Use uuidv7 from offline.',
  withResolvers: 'Chrome 119. Use new Promise.',
  showPicker: 'Chrome 99.',
  checkVisibility: 'Chrome 105.',
  setHTML: 'Not in Chrome 80.',
};

// Where a person reads what stands there: between tags, in the attributes that are spoken or shown, and in the properties
// by which our own components take such words.
const spoken = 'JSXAttribute[name.name=/^(title|alt|placeholder|aria-(label|description|roledescription|valuetext|placeholder)|label|hint|text|summary|about|heading|caption|empty)$/]';
const shown = ['JSXElement', 'JSXFragment', spoken];
const cure = "Words for people are keys: t('ui.…').";
// Two letters in a row are a word; a lone one is a sign, as the x of an axis.
const word = '/\\p{L}\\p{M}*\\p{L}/u';
// Straight in braces, and as one of the choices in them: {on ? 'Yes' : 'No'}, {on && 'Yes'}, {x ?? 'None'}, {'No ' + x}.
const inside = ['', ...['ConditionalExpression', 'LogicalExpression[operator!="&&"]', 'LogicalExpression[operator="&&"]', 'BinaryExpression[operator="+"]'].map((kind) => ` > ${kind}`)];
const wordless = [
  { selector: `JSXText[value=${word}]`, message: cure },
  { selector: `${spoken} > Literal[value=${word}]`, message: cure },
  ...shown.flatMap((where) =>
    inside.flatMap((choice) => {
      const here = `${where} > JSXExpressionContainer${choice} >`;
      return [
        { selector: `${here} Literal[value=${word}]`, message: cure },
        { selector: `${here} TemplateLiteral > TemplateElement[value.raw=${word}]`, message: cure },
      ];
    }),
  ),
  // What a browser shows by itself.
  { selector: `CallExpression[callee.name=/^(alert|confirm|prompt)$/]`, message: 'Show a notice, with words of the catalogue.' },
  { selector: `CallExpression[callee.property.name="setCustomValidity"] > Literal[value=${word}]`, message: cure },
  { selector: `AssignmentExpression[left.property.name=/^(textContent|innerText|title|placeholder|ariaLabel|alt)$/] > Literal[value=${word}]`, message: cure },
];

const syntax = [
  ...Object.entries(newer).map(([name, cure]) => ({ selector: `CallExpression[callee.property.name="${name}"]`, message: `${name}: ${cure}` })),
  { selector: 'CallExpression[callee.object.name="AbortSignal"]', message: 'AbortSignal.timeout and any are Chrome 103 and later. Use an AbortController and setTimeout.' },
  { selector: 'CallExpression[callee.object.name="Promise"][callee.property.name="any"]', message: 'Promise.any is Chrome 85. Use race.' },
  { selector: 'MemberExpression[property.name="submitter"]', message: 'submitter is Chrome 81. Listen for the click.' },
  { selector: 'MemberExpression[property.name=/^(inner|outer)HTML$/]', message: 'Build elements, or let Preact do it.' },
  { selector: 'CallExpression[callee.property.name="insertAdjacentHTML"]', message: 'Build elements, or let Preact do it.' },
  { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'Markup comes from the server, compiled and sanitised.' },
  { selector: 'JSXAttribute[name.name="style"]', message: 'Write a class: the page allows no style attributes.' },
  ...wordless,
];

// Folders that an area may not reach, and where to go instead.
const walls = (...patterns) => ['error', { patterns: patterns.map(([regex, message]) => ({ regex, message })) }];
const doors = ['(^|/)(app|page|nav|router)(\\.|$)', 'The entries import the rest, never the other way.'];

export default tseslint.config(
  { ignores: ['scripts', 'dist', 'node_modules', 'src/api/schema.gen.ts', 'test-results', 'e2e/shots'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'off', // knows nothing of signals, and asks for them
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/**/*.test.{ts,tsx}'],
    rules: {
      'no-restricted-syntax': ['error', ...syntax],
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'Only api/client.ts calls fetch: add the call there.' },
        { name: 'XMLHttpRequest', message: 'Ask api/client.ts.' },
        { name: 'localStorage', message: 'Ask offline/shelf.ts, which says when nothing is kept.' },
        { name: 'structuredClone', message: 'Chrome 98. Copy what you need.' },
        { name: 'WeakRef', message: 'Chrome 84.' },
        { name: 'EventSource', message: 'Long-poll through api/client.ts.' },
        { name: 'eval', message: 'No.' },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'globalThis', property: 'fetch', message: 'Only api/client.ts calls fetch: add the call there.' },
        { object: 'window', property: 'fetch', message: 'Only api/client.ts calls fetch: add the call there.' },
      ],
    },
  },
  // Packs of bundles are bytes by Range, no JSON: they have a file of their own that fetches.
  { files: ['src/api/client.ts', 'src/offline/bundle/http.ts'], rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' } },
  // What stands between the page and the network has no other way to ask it.
  { files: ['src/sw/sw.ts', 'src/sw/bridge.ts'], rules: { 'no-restricted-globals': 'off' } },
  {
    files: ['src/features/**'],
    rules: {
      'no-restricted-imports': walls(
        ['^\\.\\./(?!\\.\\.)', 'A feature imports no other feature. What two need belongs in ui, learner, offline or api.'],
        ['features/', 'A feature imports no other feature. What two need belongs in ui, learner, offline or api.'],
        ['(^|\\.\\.?/)(app|page)$', doors[1]],
      ),
    },
  },
  { files: ['src/ui/**'], rules: { 'no-restricted-imports': walls(['features/|learner/|offline/', 'ui imports no feature: give it what it shows as a property.'], doors) } },
  { files: ['src/learner/**'], rules: { 'no-restricted-imports': walls(['features/', 'What features share knows none of them.'], doors) } },
  {
    files: ['src/offline/**'],
    rules: { 'no-restricted-imports': walls(['features/|learner/|ui/|i18n/', 'offline imports only api: the service worker will run it too.'], doors) },
  },
  {
    files: ['src/api/**'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-imports': walls(['features/|learner/|ui/|offline/', 'api knows the contract and the language, no more.'], doors) },
  },
  { files: ['src/sw/**'], rules: { 'no-restricted-imports': walls(['^\\.\\./(?!offline/|api/|pages/)', 'The service worker imports only offline, api and the filler of pages.']) } },
);
