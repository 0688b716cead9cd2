import type { Face } from '../api/types.ts';
import { el } from '../dom.ts';
import { type Size, toScreen, type View } from './view.ts';

/** Boxes over the faces the report lists; numbers match the list in the panel. */
export class FaceLayer {
  readonly element = el('div', { class: 'faces', 'aria-hidden': 'true' });
  #faces: readonly Face[] = [];
  #boxes: HTMLElement[] = [];

  /** Boxes for these faces, drawn again only when they changed. */
  show(faces: readonly Face[], kept: ReadonlySet<number>, visible: boolean): void {
    this.#faces = visible ? faces : [];
    this.#boxes = this.#faces.map((_, i) =>
      el('div', { class: `face-box${kept.has(i) ? ' face-kept' : ''}` }, el('span', {}, String(i + 1))),
    );
    this.element.replaceChildren(...this.#boxes);
  }

  /** Puts the boxes where the view shows their faces (device pixels in, CSS pixels out). */
  place(view: View, pane: Size, ratio: number): void {
    this.#faces.forEach(({ box: [x, y, side] }, i) => {
      const box = this.#boxes[i];
      if (box === undefined) return;
      const corner = toScreen(view, pane, x, y);
      box.style.transform = `translate(${corner.x / ratio}px, ${corner.y / ratio}px)`;
      box.style.width = box.style.height = `${(side * view.scale) / ratio}px`;
    });
  }
}
