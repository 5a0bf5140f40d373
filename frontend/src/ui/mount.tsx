import { render, type ComponentChildren } from 'preact';

/** Puts a component in the place of what was readable before. */
export function mountInto(element: HTMLElement, view: ComponentChildren): void {
  element.textContent = '';
  render(view, element);
}
