// Makes the frame that learners' code runs in, and keeps a copy of it for days without a network (docs/lab-runner.md).
//
// A frame with the attribute `sandbox` is never given to the service worker, so it cannot be shown without a network. The kept copy
// therefore stands in a frame without it, and has its opaque origin from the policy that it was sent with and is kept with. Whatever frame it
// is, it gets nothing to run before the browser has said that its origin is opaque.
import { Unreached } from '../../../api/problem';
import { isKept, keepFrame, keptAt } from '../../../offline/python/frame';
import { patience, patienceWithCopy, soon } from '../../../offline/python/soon';

/** The frame or the pack does not start in this browser. */
export class RunnerError extends Error {}

export interface Connection {
  /** Rejects with Unreached where the frame is neither on this device nor to be reached, and with RunnerError when it does not answer. */
  port: Promise<MessagePort>;
  /** Removes the frame. */
  close(): void;
}

/** Makes a frame of the document at an address of this server, and a port to it. */
export function connect(address: string): Connection {
  let frame: HTMLIFrameElement | undefined;
  let fail: (cause: Error) => void;

  const show = (src: string, sandbox: boolean) => {
    frame?.remove();
    const made = (frame = document.createElement('iframe'));
    // Scripts and nothing else: no origin, no forms, no windows, no way to lead the page elsewhere.
    if (sandbox) made.setAttribute('sandbox', 'allow-scripts');
    made.setAttribute('aria-hidden', 'true');
    made.tabIndex = -1;
    made.hidden = true;
    made.title = '';
    made.src = src;
    document.body.append(made);
  };

  const port = new Promise<MessagePort>((resolve, reject) => {
    let open = true;
    const finish = () => {
      open = false;
      clearTimeout(timer);
      removeEventListener('message', listen);
    };
    fail = (cause) => {
      finish();
      reject(cause);
    };
    const timer = setTimeout(() => fail(new RunnerError('the frame does not answer')), patience);
    const listen = (event: MessageEvent) => {
      if (!event.source || event.source !== frame?.contentWindow) return;
      // Said by the browser, not by the frame. Without its wall it would have the page's origin.
      if (event.origin !== 'null') return fail(new RunnerError(`the frame is of ${event.origin}`));
      finish();
      const channel = new MessageChannel();
      // Its origin is opaque, so no other target can be named; what goes there is no secret.
      (event.source as Window).postMessage({ banyan: 'page' }, '*', [channel.port2]);
      resolve(channel.port1);
    };
    addEventListener('message', listen);
    show(address, true);
    const kept = keepFrame(address);
    // With a copy at hand nobody waits long for the network; without one, until it says no.
    soon(kept, patienceWithCopy)
      .catch(async () => {
        const here = await isKept();
        if (open && here) show(keptAt, false);
        else if (!here) await kept;
      })
      .catch(() => {
        if (open) fail(new Unreached());
      });
  });

  return {
    port,
    close() {
      fail(new RunnerError('closed'));
      frame?.remove();
    },
  };
}
