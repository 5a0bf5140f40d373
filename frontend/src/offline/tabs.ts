// The tabs of one browser tell each other what changed.

const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('banyan') : undefined;
// Node's tests would wait for it.
(channel as { unref?: () => void } | undefined)?.unref?.();

/** Tells the other tabs. Where the browser has no way to, they see it when they look again. */
export function tell(message: unknown): void {
  channel?.postMessage(message);
}

export function hear<T>(what: (message: T) => void): void {
  channel?.addEventListener('message', (event: MessageEvent<T>) => what(event.data));
}
