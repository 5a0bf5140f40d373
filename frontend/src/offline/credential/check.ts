// What a credential is worth, as far as this device can tell without a network: a QR code, or the JSON of a credential. The states and reasons are
// those of the server's verifier (docs/verifying.md).
import { CodeError, isCode, names, readCode, verifyCode, type Claims as CodeClaims, type Key, type Place } from './code';
import { DocumentError, isForeign, readDocument, type Json, type JsonObject } from './document';
import { recognitionsOf, type Recognised } from './recognition';
import { readStatus, type Status } from './status';
import { knownIssuers, listOf, type Known, type Said } from './trust';

export type State = 'valid' | 'revoked' | 'suspended' | 'expired' | 'unknown' | 'invalid';
// Of several that fit the first counts: nobody relies on a forged credential because it is expired too.
const order: State[] = ['invalid', 'revoked', 'suspended', 'expired', 'unknown', 'valid'];

export interface Reason {
  /** Its words are credential.why.<why>. */
  why: string;
  /** A moment that its words name. */
  date?: string;
}
/** One thing that the answer rests on. */
export interface Basis {
  kind: 'signature' | 'issuer' | 'status' | 'trust_list' | 'clock';
  /** When it was said, '' where that is not known. */
  at: string;
  source: string;
  /** The institution of the learner on whose trust it rests; none where that is the server's. */
  by?: string;
}
export interface Shown {
  name: string;
  achievement: string;
  /** Language of the achievement's name. */
  locale: string;
  issuer: string;
  course: string;
  /** Its address, which a code does not say. */
  achievementId?: string;
  issuedAt: string;
  expiresAt?: string;
  score?: number;
  assessment?: string;
  aiHelp?: string;
  /** Where it can be checked with a network; '' where it says none. */
  address: string;
}
export interface Report {
  state: State;
  reasons: Reason[];
  notes: Reason[];
  restsOn: Basis[];
  /** What it says; of an invalid one nobody should believe it, and it is not given. */
  shown?: Shown;
  /** What is known here of its issuer. */
  said?: Said;
  recognitions: Recognised[];
}

/** A status that is older counts as not known. */
export const statusDays = 7;
const day = 86_400_000;

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');

class Check {
  readonly found: (Reason & { state: State })[] = [];
  readonly notes: Reason[] = [];
  readonly restsOn: Basis[] = [];
  recognitions: Recognised[] = [];
  shown: Shown | undefined;
  said: Said | undefined;

  constructor(
    readonly known: Known,
    readonly now: number,
  ) {}

  say(state: State, why: string, date?: string): void {
    this.found.push({ state, why, ...(date !== undefined && { date }) });
  }

  vouched({ at, publisher: source, by }: Said): void {
    this.restsOn.push({ kind: 'trust_list', at, source, ...(by !== undefined && { by }) });
  }

  /** Who signed, once that is certain. */
  signed(key: Key, at: string): void {
    this.said = this.known.issuers.get(key.issuer);
    this.restsOn.push({ kind: 'signature', at, source: key.multikey });
    if (this.said) this.vouched(this.said);
    if (key.revoked !== undefined) this.notes.push({ why: 'key_revoked_later', date: iso(key.revoked) });
    // Something that was signed already cannot be in the future of a clock that is right.
    const newest = [at, this.said?.at ?? ''].sort().pop() as string;
    if (Date.parse(newest) > this.now + 600_000) this.notes.push({ why: 'clock', date: newest });
  }

  /** Looks up a place in the newest list of the issuer that has it; what is given back books what was found. */
  async status(purpose: 'revocation' | 'suspension', is: (address: string) => boolean, index: number): Promise<() => void> {
    const said = this.said as Said;
    const list = listOf(said, is);
    const bytes = list && (await this.known.open(list.digest));
    if (!list || !bytes) return () => this.say('unknown', 'status_unreachable');
    const status = await readStatus(bytes, said.issuer.did, list.url, purpose, index);
    return () => this.listed(purpose, list.url, status);
  }

  private listed(purpose: 'revocation' | 'suspension', source: string, status: Status | undefined): void {
    if (!status) return this.say('unknown', 'status_refused');
    this.restsOn.push({ kind: 'status', at: status.signedAt, source });
    // What was revoked stays so, however old the list is.
    if (status.set) return purpose === 'revocation' ? this.say('revoked', 'revoked') : this.say('suspended', 'suspended');
    if (this.now - Date.parse(status.signedAt) > statusDays * day) this.say('unknown', 'status_old', status.signedAt);
  }

  span(from: string, until: string | undefined): void {
    if (Date.parse(from) > this.now + 600_000) this.say('invalid', 'not_yet', from);
    if (until !== undefined && Date.parse(until) <= this.now) this.say('expired', 'expired', until);
  }

  report(): Report {
    const state = order.find((state) => state === 'valid' || this.found.some((one) => one.state === state)) as State;
    const plain = ({ why, date }: Reason): Reason => ({ why, ...(date !== undefined && { date }) });
    return {
      state,
      reasons: this.found.filter((one) => one.state === state).map(plain),
      notes: this.found
        .filter((one) => one.state !== state)
        .map(plain)
        .concat(this.notes),
      restsOn: this.restsOn,
      ...(state !== 'invalid' && this.shown && { shown: this.shown }),
      ...(state !== 'invalid' && this.said && { said: this.said }),
      // Of what does not count nobody is told.
      recognitions: this.found.every(({ state }) => state === 'unknown') ? this.recognitions : [],
    };
  }

  /** Who recognises what was signed. */
  async recognise(): Promise<() => void> {
    const { shown, said } = this;
    if (!shown || !said) return () => undefined;
    const { issuer, course, achievementId: achievement = '' } = shown;
    const all = await recognitionsOf({ issuer, course, achievement }, this.known, this.now);
    return () => void (this.recognitions = all);
  }
}

/** Tells what a credential is worth now, by what this device knows; for a learner, `known` holds what their institutions trust too. */
export async function check(text: string, now = Date.now(), known?: Known): Promise<Report> {
  const one = new Check(known ?? (await knownIssuers()), now);
  const trimmed = text.trim();
  if (isCode(trimmed)) await code(one, trimmed);
  // A token has a signature of the RSA kind, or another that only a server reads.
  else if (/^[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}$/.test(trimmed)) one.say('unknown', 'needs_network');
  else await document(one, trimmed);
  return one.report();
}

async function code(one: Check, text: string): Promise<void> {
  // Line breaks are no letters of a code: what was copied out of a message may have some.
  const letters = text.replace(/[\r\n\t]+/g, '');
  try {
    // The keys of the issuer that it names, and nobody else's, as the server asks for them.
    const { issuer } = readCode(letters).claims;
    const { claims, key } = await verifyCode(letters, one.known.keys.filter((key) => key.issuer === issuer));
    one.shown = shownBy(claims);
    one.signed(key, iso(claims.signedAt));
    one.span(iso(claims.issuedAt), one.shown.expiresAt);
    if (!claims.revocation) one.notes.push({ why: 'no_status' });
    const look = (purpose: 'revocation' | 'suspension', place: Place | undefined) => place && one.status(purpose, (address) => names(place.list, address), place.index);
    // Side by side, for a phone waits for its disk more than it reckons; told in their order.
    for (const book of await Promise.all([look('revocation', claims.revocation), look('suspension', claims.suspension), one.recognise()])) book?.();
  } catch (cause) {
    if (!(cause instanceof CodeError)) throw cause;
    const { reason, claims } = cause;
    if (reason === 'unknown_key' && claims) {
      one.shown = shownBy(claims);
      const issuer = one.known.issuers.get(claims.issuer);
      if (issuer) one.vouched(issuer);
      one.say('unknown', issuer ? 'key_unknown' : 'issuer_unknown');
    } else if (reason === 'too_new') one.say('unknown', 'too_new');
    else one.say('invalid', reason === 'signature' ? 'changed' : reason === 'key_revoked' ? 'revoked_key' : reason === 'key_time' || reason === 'other_issuer' ? 'foreign_key' : 'not_readable');
  }
}

function shownBy({ name, achievement, locale, issuer, course, issuedAt, expiresAt, score, assessment, aiHelp, address }: CodeClaims): Shown {
  return {
    ...{ name, achievement, locale, issuer, course, issuedAt: iso(issuedAt), address },
    ...(expiresAt !== undefined && { expiresAt: iso(expiresAt) }),
    ...(score !== undefined && { score }),
    ...(assessment !== undefined && { assessment }),
    ...(aiHelp !== undefined && { aiHelp }),
  };
}

async function document(one: Check, text: string): Promise<void> {
  try {
    const read = readDocument(text);
    const { issuer, multikey, created } = read;
    const shown = shownIn(read.tree, issuer);
    const said = one.known.issuers.get(issuer);
    const key = one.known.keys.find((key) => key.issuer === issuer && key.multikey === multikey);
    if (!key || !read.checkable) {
      one.shown = shown;
      if (said) one.vouched(said);
      return one.say('unknown', !said ? 'issuer_unknown' : !key ? 'key_unknown' : 'needs_network');
    }
    if (!(await read.signed(multikey))) return one.say('invalid', 'changed');
    const at = Date.parse(created) / 1000;
    if (at < key.from || (key.retired !== undefined && at > key.retired)) return one.say('invalid', 'foreign_key');
    if (key.revoked !== undefined && at >= key.revoked) return one.say('invalid', 'revoked_key');
    one.shown = shown;
    one.signed(key, created);
    one.span(shown.issuedAt, shown.expiresAt);
    const { credentialStatus } = read.tree;
    const entries = credentialStatus === undefined ? [] : Array.isArray(credentialStatus) ? credentialStatus : [credentialStatus];
    if (!entries.length) one.notes.push({ why: 'no_status' });
    const lookups: Promise<() => void>[] = [];
    for (const entry of entries as JsonObject[]) {
      const { type, statusPurpose: purpose, statusListIndex: index, statusListCredential: address } = entry;
      if (type !== 'BitstringStatusListEntry' || (purpose !== 'revocation' && purpose !== 'suspension')) one.say('unknown', 'status_kind');
      else if (typeof index !== 'string' || !/^(0|[1-9][0-9]{0,8})$/.test(index)) one.say('invalid', 'status_refused');
      else lookups.push(one.status(purpose, (url) => url === address, Number(index)));
    }
    for (const book of await Promise.all([...lookups, one.recognise()])) book();
  } catch (cause) {
    if (!(cause instanceof DocumentError)) throw cause;
    // What this device merely does not understand is not forged.
    if (isForeign(text, cause, (issuer) => Array.from(one.known.issuers.keys()).some((did) => did.toLowerCase() === issuer.toLowerCase()))) one.say('unknown', 'needs_network');
    else one.say('invalid', cause.why);
  }
}

const at = (value: Json | undefined, ...path: (string | number)[]): Json | undefined =>
  path.reduce<Json | undefined>((inner, step) => (typeof inner === 'object' ? (inner as JsonObject)[step] : undefined), value);
const textAt = (value: Json | undefined, ...path: (string | number)[]): string => {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
};

function shownIn(tree: JsonObject, issuer: string): Shown {
  const subject = tree['credentialSubject'];
  const achievement = at(subject, 'achievement');
  const holder = at(subject, 'identifier', 0);
  const timed = (name: string) => {
    const time = textAt(tree, name);
    return isNaN(Date.parse(time)) ? '' : time;
  };
  const issuedAt = timed('validFrom');
  if (!achievement || !textAt(achievement, 'name') || !issuedAt) throw new DocumentError('not_badge');
  const kinds = new Map<string, string>();
  for (const one of (at(achievement, 'resultDescription') as JsonObject[] | undefined) ?? []) kinds.set(textAt(one, 'id'), textAt(one, 'resultType'));
  const results: Record<string, string> = {};
  for (const one of (at(subject, 'result') as JsonObject[] | undefined) ?? []) results[kinds.get(textAt(one, 'resultDescription')) ?? ''] = textAt(one, 'value');
  const score = Number(results['Percent'] ?? NaN);
  const address = textAt(tree, 'id');
  const expiresAt = timed('validUntil');
  return {
    name: textAt(holder, 'identityType') === 'name' && at(holder, 'hashed') === false ? textAt(holder, 'identityHash') : '',
    achievement: textAt(achievement, 'name'),
    locale: textAt(achievement, 'inLanguage'),
    issuer,
    course: (/\/courses\/([A-Za-z0-9][A-Za-z0-9._-]*)@[0-9]+$/.exec(textAt(achievement, 'id')) ?? [])[1] ?? '',
    achievementId: textAt(achievement, 'id'),
    issuedAt,
    ...(expiresAt && { expiresAt }),
    ...(!isNaN(score) && { score }),
    ...(results['ext:AssessmentLevel'] !== undefined && { assessment: results['ext:AssessmentLevel'] }),
    ...(results['ext:AIAssistance'] !== undefined && { aiHelp: results['ext:AIAssistance'] }),
    address: /^https?:\/\/[^\s<>"]+$/.test(address) ? address : '',
  };
}
