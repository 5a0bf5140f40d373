import { effect } from '@preact/signals';
import { me } from '../../api/me';
import { context } from '../../context';
import { t } from '../../i18n/words';
import { enrollment, progress, standing } from '../../learner/enrollment';
import { Join, otherVersion } from '../../learner/join';
import { OutboxNotes } from '../../learner/outbox-notes';
import { signInHref } from '../../next';
import { Bar } from '../../ui/bar';
import { useLoaded } from '../../ui/loaded';
import { Notice } from '../../ui/notice';

interface Item {
  id: string;
  href: string;
  element: HTMLElement;
}

function items(): Item[] {
  return Array.from(document.querySelectorAll<HTMLElement>('.item[data-item]'), (element) => ({
    id: element.dataset['item'] ?? '',
    href: element.querySelector('a')?.getAttribute('href') ?? '',
    element,
  }));
}

/** Puts a tick on every item of the page that is done, and keeps it so. */
export function markItems(): void {
  const all = items();
  effect(() => {
    for (const { id, element } of all) {
      const done = standing.value.get(id)?.completed ?? false;
      if (element.classList.contains('done') === done) continue;
      element.classList.toggle('done', done);
      element.querySelector('.item-done')?.remove();
      if (done) element.querySelector('.item-title')?.append(unseen(t('ui.progress.done')));
    }
  });
}

function unseen(text: string): HTMLElement {
  const span = document.createElement('span');
  span.className = 'unseen item-done';
  span.textContent = ` (${text})`;
  return span;
}

/** On a course's page: start, go on, or the good news. */
export function CourseProgress() {
  if (me.value === undefined || (me.value && me.value !== 'unreached' && enrollment.value === undefined)) {
    return <p class="loading">{t('ui.loading')}</p>;
  }
  if (me.value === null) {
    return (
      <a class="button" href={signInHref('sign-up')}>
        {t('ui.join.start')}
      </a>
    );
  }
  if (!enrollment.value) return <Join />;
  const all = items();
  const done = all.filter(({ id }) => standing.value.get(id)?.completed).length;
  const next = all.find(({ id }) => !standing.value.get(id)?.completed);
  return (
    <>
      <Join />
      {!otherVersion() && <Bar done={done} total={all.length} />}
      {progress.value?.completed && (
        <Notice kind="good">
          <p>
            {t('ui.progress.course_completed')} <a href="/app/certificates">{t('ui.progress.to_certificate')}</a>
          </p>
        </Notice>
      )}
      {progress.value?.completed && <ToCome />}
      {next && !otherVersion() && (
        <a class="button" href={next.href}>
          {done > 0 ? t('ui.progress.go_on') : t('ui.progress.begin')}
        </a>
      )}
      <OutboxNotes />
    </>
  );
}

function ToCome() {
  const part = useLoaded(() => import('./award'));
  return part ? <part.Award course={context().course} /> : null;
}
