// A light editor: a labelled textarea, with coloured text and line numbers behind it. Phones' keyboards and screen
// readers meet the textarea alone.
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { t } from '../../i18n/words';
import { highlight } from './highlight';
import { backspace, enter, nearestLine, tab, untab, type Edit } from './typing';

/** What others may do with the editor. */
export interface EditorHandle {
  /** Puts the cursor on a line, counted from 1. */
  goTo(line: number): void;
  /** Puts another text in place of all, so that undo brings the old one back. */
  put(text: string): void;
}

/** A line that stands out, as long as it stands anywhere. */
export interface Mark {
  line: number;
  text: string;
}

interface Props {
  name: string;
  value: string;
  maxLength: number;
  mark?: Mark | undefined;
  /** Gets the editor's handle. */
  handle: Signal<EditorHandle | undefined>;
  /** Stands beside the name: whether the text is kept. */
  children?: ComponentChildren;
  onChange: (value: string) => void;
}

const signs = [':', '(', ')', '[', ']', '{', '}', '"', "'", '=', '_', '#'] as const;
const acts = { tab: '\u21e5', untab: '\u21e4', left: '\u2190', right: '\u2192', undo: '\u21b6', redo: '\u21b7' } as const;

export function Editor({ name, value, maxLength, mark, handle, children, onChange }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const band = useRef<HTMLDivElement>(null);
  const leaving = useRef(false);
  const said = useSignal('');
  const lines = useMemo(() => value.split('\n'), [value]);
  const tokens = useMemo(() => highlight(value), [value]);
  const marked = useMemo(() => (mark ? nearestLine(value, mark.line, mark.text) : 0), [mark, value]);

  const apply = (edit: Edit | null): boolean => {
    if (!edit || !area.current) return false;
    replace(area.current, edit);
    onChange(area.current.value);
    return true;
  };

  useEffect(() => {
    handle.value = {
      goTo(line) {
        const element = area.current;
        const box = scroller.current;
        if (!element || !box) return;
        const all = element.value.split('\n');
        const at = Math.min(Math.max(1, line), all.length);
        const text = all[at - 1] as string;
        const start = all.slice(0, at - 1).join('\n').length + (at > 1 ? 1 : 0) + text.length - text.trimStart().length;
        // The page scrolls to the editor, the editor to the line.
        element.focus({ preventScroll: true });
        element.setSelectionRange(start, start);
        box.scrollIntoView({ block: 'nearest' });
        const height = element.scrollHeight / all.length;
        box.scrollTop = Math.max(0, (at - 0.5) * height - box.clientHeight / 2);
        box.scrollLeft = 0;
        said.value = t('ui.lab.at_line', { Number: at });
      },
      put(text) {
        const element = area.current;
        if (!element || element.value === text) return;
        replace(element, { from: 0, to: element.value.length, text });
        element.setSelectionRange(0, 0);
        onChange(element.value);
      },
    };
  }, [handle, onChange]);

  // The page allows no style attribute, but the band has its place from the number of its line.
  useLayoutEffect(() => {
    band.current?.style.setProperty('top', `calc(0.75rem + ${marked - 1} * 1.55rem)`);
  }, [marked]);

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

  // A phone's keyboard tells no keys while it guesses words, but it says what it is about to do.
  const onBeforeInput = (event: InputEvent) => {
    if (!event.cancelable) return;
    const { selectionStart: from, selectionEnd: to, value: text } = event.currentTarget as HTMLTextAreaElement;
    const helped: Record<string, () => Edit | null> = {
      insertLineBreak: () => enter(text, from, to),
      deleteContentBackward: () => backspace(text, from, to),
    };
    if (busy.current || !apply(helped[event.inputType]?.() ?? null)) return;
    event.preventDefault();
  };
  // Listened to by hand: Chrome 80 has the event, but not the property by which Preact knows its name.
  const latest = useRef(onBeforeInput);
  latest.current = onBeforeInput;
  useEffect(() => {
    const element = area.current;
    const listen = (event: Event) => latest.current(event as InputEvent);
    element?.addEventListener('beforeinput', listen);
    return () => element?.removeEventListener('beforeinput', listen);
  }, []);
  // What we type ourselves is announced by the same event.
  const busy = useRef(false);
  const replace = (element: HTMLTextAreaElement, edit: Edit) => {
    busy.current = true;
    try {
      typeIn(element, edit);
    } finally {
      busy.current = false;
    }
  };

  const press = (key: keyof typeof acts | (typeof signs)[number]) => {
    const element = area.current;
    if (!element) return;
    const { selectionStart: from, selectionEnd: to, value: text } = element;
    const move = (by: number) => {
      element.focus();
      const at = from === to ? Math.max(0, from + by) : by < 0 ? from : to;
      element.setSelectionRange(at, at);
    };
    switch (key) {
      case 'tab':
        return apply(tab(text, from, to));
      case 'untab':
        return apply(untab(text, from, to));
      case 'left':
        return move(-1);
      case 'right':
        return move(1);
      case 'undo':
      case 'redo':
        element.focus();
        return document.execCommand?.(key);
      default:
        return apply({ from, to, text: key });
    }
  };
  // A finger on a key must not take the focus, or the phone's keyboard goes away. Who has a keyboard needs none of these keys, so Tab passes them over.
  const stay = (event: Event) => event.preventDefault();

  return (
    <div class="editor">
      <div class="editor-head">
        <label for="code">{t('ui.lab.editor', { Name: name })}</label>
        {children}
      </div>
      <div class="editor-scroll" dir="ltr" ref={scroller}>
        <div class="editor-numbers" aria-hidden="true">
          {numbers(1, marked ? marked - 1 : lines.length)}
          {marked > 0 && <mark>{marked}</mark>}
          {marked > 0 && `\n${numbers(marked + 1, lines.length)}`}
        </div>
        <div class="editor-text">
          {marked > 0 && <div class="editor-band" ref={band} />}
          <pre aria-hidden="true">
            {tokens.map(({ kind, text }) => (kind === 'plain' || kind === 'name' ? text : <span class={`py-${kind}`}>{text}</span>))}
            {'\n'}
          </pre>
          <textarea
            id="code"
            ref={area}
            value={value}
            rows={lines.length}
            maxLength={maxLength}
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
      <div class="editor-keys" dir="ltr" role="group" aria-label={t('ui.lab.keys')} onPointerDown={stay} onMouseDown={stay}>
        {(['tab', 'untab'] as const).map(act)}
        {signs.map((sign) => (
          <button type="button" key={sign} tabIndex={-1} onClick={() => press(sign)}>
            {sign}
          </button>
        ))}
        {(['left', 'right', 'undo', 'redo'] as const).map(act)}
      </div>
      <p class="small editor-help" id="code-help">
        {t('ui.lab.tab_help')}
      </p>
      <p class="unseen" aria-live="polite">
        {said}
      </p>
    </div>
  );

  function act(key: keyof typeof acts) {
    return (
      <button type="button" key={key} tabIndex={-1} aria-label={t(`ui.lab.key.${key}`)} onClick={() => press(key)}>
        {acts[key]}
      </button>
    );
  }
}

function numbers(from: number, to: number): string {
  let out = '';
  for (let n = from; n <= to; n++) out += `${n}\n`;
  return out;
}

/** Replaces a part so that the browser's undo knows of it. */
function typeIn(area: HTMLTextAreaElement, { from, to, text, chosen }: Edit): void {
  area.focus();
  let known: boolean | undefined;
  if (!text && from < to && area.selectionStart === to && area.selectionEnd === to) {
    // Sign by sign, as a finger would: what undo gives back is then not chosen, and the next key does not overwrite it.
    for (let left = to - from; left > 0; left--) known = document.execCommand?.('delete');
  } else {
    area.setSelectionRange(from, to);
    known = text ? document.execCommand?.('insertText', false, text) : from === to || document.execCommand?.('delete');
  }
  if (!known) area.setRangeText(text, from, to, 'end');
  if (chosen) area.setSelectionRange(...chosen);
}
