// A quiz that draws its questions from a bank, in a course that is shipped: each attempt has its own, and keeps them.
import { expect, test, type APIRequestContext, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { bankOf } from './course.ts';
import { words } from './words.ts';

const t = words('en');
const course = 'ai-foundations';
const quiz = `/en/courses/${course}/meeting-ai-check`;
const drawn = 5;
// What is drawn follows from the enrollment. With this one, the first three attempts differ in their questions.
const enrollment = '019abcde-0000-7000-8000-000000000001';

test.use({ locale: 'en' });

test('a drawn quiz says what it thinks of each answer, draws anew, and keeps its questions over a reload', async ({ page, baseURL }, info) => {
  await join(page.request, baseURL as string, `drawer-${info.project.name || 'alone'}`);
  await page.goto(quiz);
  const first = await questions(page);
  expect(first).toHaveLength(drawn);

  await test.step('an answer and the questions survive a reload', async () => {
    await answer(page, first.slice(0, 2), 'right');
    await page.reload();
    expect(await questions(page)).toEqual(first);
    await expect(page.locator('.question-card input:checked').first()).toBeAttached();
    await expect(page.locator('.quiz-left progress')).toHaveAttribute('value', '2');
  });

  await test.step('what is handed in is marked by the server, each answer with a word', async () => {
    await answer(page, first.slice(2), 'wrong');
    await page.getByRole('button', { name: t('ui.quiz.hand_in') }).click();
    await expect(page.locator('.result-score')).toBeVisible();
    const cards = page.locator('.question-card');
    await expect(page.locator('.question-card.right')).toHaveCount(2);
    for (let i = 0; i < drawn; i++) {
      await expect(cards.nth(i)).toHaveClass(i < 2 ? /\bright\b/ : /\bwrong\b/);
      expect((await cards.nth(i).locator('.marked p').nth(1).textContent())?.trim().length, `feedback of question ${i + 1}`).toBeGreaterThan(5);
    }
    expect(await violations(page)).toEqual([]);
  });

  let second: string[] = [];
  await test.step('another attempt has other questions, none of them answered', async () => {
    await page.getByRole('button', { name: t('ui.quiz.again') }).click();
    second = await questions(page);
    expect(second).toHaveLength(drawn);
    expect([...second].sort()).not.toEqual([...first].sort());
    await expect(page.locator('.question-card input:checked')).toHaveCount(0);
    await expect(page.locator('.marked')).toHaveCount(0);
  });

  await test.step('it is the same attempt after a reload, and counts', async () => {
    await page.reload();
    expect(await questions(page)).toEqual(second);
    await answer(page, second, 'right');
    await page.getByRole('button', { name: t('ui.quiz.hand_in') }).click();
    await expect(page.locator('.result-score')).toHaveText('100%');
    await page.reload();
    const third = await questions(page);
    expect([...third].sort()).not.toEqual([...second].sort());
    await expect(page.getByText(t('ui.quiz.best').replace('{{.Score}}', '100%'))).toBeVisible();
  });
});

/** The ids of the questions that are shown, in their order. */
async function questions(page: Page): Promise<string[]> {
  await expect(page.locator('.question-card')).toHaveCount(drawn);
  return page.locator('.question-card .prompt').evaluateAll((all) => all.map(({ id }) => id.slice(2)));
}

async function answer(page: Page, ids: string[], how: 'right' | 'wrong'): Promise<void> {
  const bank = bankOf(course, 'meeting-ai');
  for (const id of ids) {
    const question = bank.get(id);
    if (!question) throw new Error(`the bank has no ${id}`);
    const card = page.locator('.question-card', { has: page.locator(`#q-${id}`) });
    switch (question.type) {
      case 'single': {
        const option = question.options?.find(({ correct }) => Boolean(correct) === (how === 'right'));
        await card.locator(`input[value="${option?.id}"]`).check();
        break;
      }
      case 'multiple':
        for (const option of question.options ?? []) if (Boolean(option.correct) === (how === 'right')) await card.locator(`input[value="${option.id}"]`).check();
        break;
      case 'match':
        // The ids of the right sides are opaque: their words tell which is which.
        for (const [i, pair] of (question.pairs ?? []).entries()) {
          const other = question.pairs?.[(i + 1) % question.pairs.length];
          const right = how === 'right' ? pair.right : other?.right;
          await card.locator('label', { hasText: pair.left }).locator('select').selectOption({ label: right as string });
        }
        break;
      case 'order':
        await order(page, id, (question.options ?? []).map((option) => option.id), how);
        break;
      case 'number':
        await card.locator('input').fill(String((question.answer ?? 0) + (how === 'right' ? 0 : 1000)));
        break;
      default:
        await card.locator('input').fill(how === 'right' ? (question.accept?.[0] ?? '') : 'nothing of the kind');
    }
  }
}

async function order(page: Page, id: string, wanted: string[], how: 'right' | 'wrong'): Promise<void> {
  const card = page.locator('.question-card', { has: page.locator(`#q-${id}`) });
  const target = how === 'right' ? wanted : [...wanted].reverse();
  for (const [place, option] of target.entries()) {
    const now = () => card.locator('.move.up').evaluateAll((all, move) => all.findIndex((one) => one.getAttribute('data-move') === move), `${option}-1`);
    for (let at = await now(); at > place; at--) {
      await card.locator(`[data-move="${option}-1"]`).click();
      await expect.poll(now).toBe(at - 1);
    }
  }
}

async function join(request: APIRequestContext, baseURL: string, username: string): Promise<void> {
  const post = async (path: string, data: unknown) => {
    const response = await request.post(path, { data, headers: { Origin: baseURL } });
    expect(response.ok(), `${path}: ${response.status()} ${await response.text()}`).toBe(true);
  };
  await post('/api/users', { username, display_name: 'Nadia Benali', password: 'a long password' });
  await post('/api/enrollments', { id: enrollment, course_id: course });
}
