// A light editor: a labelled textarea, with coloured text and line numbers behind it. Phones' keyboards and screen
// readers meet the textarea alone.
import { useMemo, useRef } from 'preact/hooks';
import { t } from '../../i18n/words';
import { highlight } from './highlight';
import { backspace, enter, tab, untab, type Edit } from './typing';

const keys = ['Tab', ':', '(', ')', '[', ']', '"', "'", '=', '_'];

interface Props {
  name: string;
  value: string;
  readOnly: boolean;
  onChange: (value: string) => void;
}

export function Editor({ name, value, readOnly, onChange }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const leaving = useRef(false);
  const count = value.split('\n').length;
  const tokens = useMemo(() => highlight(value), [value]);

  const apply = (edit: Edit | null): boolean => {
    if (!edit || !area.current) return false;
    replace(area.current, edit);
    onChange(area.current.value);
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const { selectionStart: from, selectionEnd: to, value: text } = event.currentTarget as HTMLTextAreaElement;
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const leave = leaving.current;
    leaving.current = event.key === 'Escape';
    let done = false;
    if (event.key === 'Enter') done = apply(enter(text, from, to));
    else if (event.key === 'Backspace') done = apply(backspace(text, from, to));
    // Escape, then Tab, leaves: a keyboard must be able to get out again.
    else if (event.key === 'Tab' && !leave) done = apply(event.shiftKey ? untab(text, from, to) : tab(text, from, to));
    else if (event.key === 'Shift') leaving.current = leave;
    if (done) event.preventDefault();
  };

  const press = (key: string) => {
    const { selectionStart: from, selectionEnd: to, value: text } = area.current as HTMLTextAreaElement;
    apply(key === 'Tab' ? tab(text, from, to) : { from, to, text: key });
  };

  return (
    <div class="editor" dir="ltr">
      <label class="editor-name" for="code" dir="auto">
        {t('ui.lab.editor', { Name: name })}
      </label>
      <div class="editor-scroll">
        <div class="editor-numbers" aria-hidden="true">
          {Array.from({ length: count }, (_, i) => i + 1).join('\n')}
        </div>
        <div class="editor-text">
          <pre aria-hidden="true">
            {tokens.map(({ kind, text }) => (kind === 'plain' || kind === 'name' ? text : <span class={`py-${kind}`}>{text}</span>))}
            {'\n'}
          </pre>
          <textarea
            id="code"
            ref={area}
            value={value}
            readOnly={readOnly}
            rows={count}
            maxLength={65536}
            spellcheck={false}
            autoCapitalize="off"
            autoComplete="off"
            autoCorrect="off"
            wrap="off"
            aria-describedby="code-help"
            onInput={(event) => onChange(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </div>
      </div>
      <div class="editor-keys" role="group" aria-label={t('ui.lab.keys')}>
        {keys.map((key) => (
          // A finger on a key must not take the focus, or the phone's keyboard goes away.
          <button type="button" key={key} onPointerDown={(event) => event.preventDefault()} onClick={() => press(key)}>
            {key}
          </button>
        ))}
      </div>
      <p class="small editor-help" id="code-help" dir="auto">
        {t('ui.lab.tab_help')}
      </p>
    </div>
  );
}

/** Replaces a part so that the browser's undo knows of it. */
function replace(area: HTMLTextAreaElement, { from, to, text }: Edit): void {
  area.focus();
  area.setSelectionRange(from, to);
  const known = text ? document.execCommand?.('insertText', false, text) : document.execCommand?.('delete');
  if (!known) area.setRangeText(text, from, to, 'end');
}
