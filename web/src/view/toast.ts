import { el } from '../dom.ts';

/** A short message at the edge of the page, said aloud, gone after a while. */
export function toast(message: string): void {
  document.querySelector('.toast')?.remove();
  const node = el('p', { class: 'toast', role: 'alert' }, message);
  document.body.append(node);
  setTimeout(() => node.remove(), 6000);
}
