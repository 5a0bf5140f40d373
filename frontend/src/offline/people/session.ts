// The learner who is at this device, and the cookie. What one of them does must never count for another: the page says whom it acts for, the
// server refuses the cookie of anybody else, and then the device's token brings the right one.
import { actFor, api, ask, forNobody } from '../../api/client';
import type { Account, Me, Who } from '../../api/me';
import { Problem } from '../../api/problem';
import { current, find, profile, remember, secret, type Person } from './index';

/** Who is at this device, and whether the server agrees. Never rejects. */
export async function whoIsHere(): Promise<Who> {
  const mine = await current().catch(() => undefined);
  actFor(mine?.user ?? '');
  try {
    const found = await ask(api.GET('/api/me'));
    if (!mine && (await find(found.id))) {
      // They have signed out, or not unlocked this device: the cookie is left over.
      await endSession();
      return null;
    }
    return answered(found);
  } catch (cause) {
    // Nobody: but somebody may unlock this device, without the network too.
    return mine ? fallBack(mine, cause instanceof Problem && cause.status === 401 ? cause : undefined) : null;
  }
}

function answered(found: Account): Me {
  void remember(found).catch(() => undefined);
  return found;
}

/** The learner who is at this device, when the server does not say so: signed in again by the device's token, else as the device knows them. */
async function fallBack(mine: Person, refusal: Problem | undefined): Promise<Who> {
  const kept = await profile(mine).catch(() => undefined);
  const known = (away?: string): Who => (kept ? { ...kept, local: true, ...(away ? { away } : {}) } : away ? null : 'unreached');
  if (!refusal) return known();
  try {
    const token = (await secret(mine.user))?.token;
    if (!token) return known(refusal.code);
    // First the other learner's session ends, then this one's begins.
    if (refusal.code === 'session.other_learner') await endSession();
    return answered(await ask(api.POST('/api/sessions/from-device', { headers: { Authorization: `Bearer ${token}` } })));
  } catch (cause) {
    return known(cause instanceof Problem && cause.status === 401 ? cause.code : undefined);
  }
}

/** Ends the session of the cookie, whosever it is. */
export async function endSession(): Promise<void> {
  try {
    await ask(api.DELETE('/api/sessions/current', { headers: forNobody }));
  } catch (cause) {
    // Over already.
    if (!(cause instanceof Problem) || cause.status !== 401) throw cause;
  }
}
