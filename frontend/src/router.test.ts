import { describe, expect, it } from 'vitest';
import { match } from './router';

describe('match', () => {
  it.each([
    ['/app', '/app/', {}],
    ['/app', '/app', {}],
    ['/app', '/app/x', null],
    ['/app/institutions/:id/:tab?', '/app/institutions/1', { id: '1' }],
    ['/app/institutions/:id/:tab?', '/app/institutions/1/members', { id: '1', tab: 'members' }],
    ['/app/institutions/:id/:tab?', '/app/institutions', null],
    ['/app/institutions/:id/:tab?', '/app/institutions/1/2/3', null],
    ['/app/sign-in', '/app/sign-up', null],
    ['/app/:id', '/app/%E0%A4%A', { id: '%E0%A4%A' }],
  ])('%s %s', (pattern, path, want) => expect(match(pattern, path)).toEqual(want));
});
