// A learner at work through the API: quick ways to a state that a screen should show.
import { randomBytes } from 'node:crypto';
import { test, type APIRequestContext } from '@playwright/test';
import { answers, courseID, items, solution } from './course.ts';
import { program } from './program.ts';

export function uuidv7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export class Learner {
  /** `origin`: of the program, where it is another than the one of the configuration. */
  constructor(
    private readonly request: APIRequestContext,
    private readonly origin?: string,
  ) {}

  async call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, data?: unknown): Promise<T> {
    // As the page of the program that is tried would ask.
    const headers = { Origin: this.origin ?? test.info().project.use.baseURL ?? program.url, 'Accept-Language': 'en' };
    const answer = await this.request.fetch(path, { method, data, headers });
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return (answer.status() === 204 ? undefined : await answer.json()) as T;
  }

  signIn(username: string, password: string) {
    return this.call('POST', '/api/sessions', { username, password });
  }

  signUp(username: string, displayName: string, password: string) {
    return this.call('POST', '/api/users', { username, display_name: displayName, password });
  }

  async enrol(): Promise<string> {
    return (await this.call<{ id: string }>('POST', '/api/enrollments', { course_id: courseID })).id;
  }

  note(enrollment: string, verb: string, object: string, responses?: Record<string, unknown>) {
    const statement = { id: uuidv7(), enrollment_id: enrollment, verb, object_id: object, at: new Date().toISOString(), responses };
    return this.call('POST', '/api/statements', [statement]);
  }

  async answer(enrollment: string, quiz: string) {
    const html = await (await this.request.get(`/en/courses/${courseID}/${quiz}`)).text();
    const data = /id="item-data">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    return this.note(enrollment, 'answered', quiz, answers(quiz, JSON.parse(data)));
  }

  async handIn(enrollment: string, lab: string, source: string): Promise<string> {
    const id = uuidv7();
    await this.call('POST', '/api/submissions', { id, enrollment_id: enrollment, lab_id: lab, files: { 'main.py': source } });
    for (let i = 0; i < 5; i++) {
      const got = await this.call<{ verdict?: { outcome: string } }>('GET', `/api/submissions/${id}?wait=20`);
      if (got.verdict) return got.verdict.outcome;
    }
    return 'none';
  }

  /** Everything that the certificate asks for. */
  async complete(enrollment: string): Promise<void> {
    for (const { id, kind } of items()) {
      if (kind === 'lesson') await this.note(enrollment, 'completed', id);
      if (kind === 'quiz') await this.answer(enrollment, id);
      if (kind === 'lab') await this.handIn(enrollment, id, solution(id));
    }
  }
}
