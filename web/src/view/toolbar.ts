import { button, el } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';
import type { Viewer } from '../viewer/viewer.ts';

/** The stage's tools: zoom, kind of comparison, hold to compare, faces. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #zoom = el('button', { type: 'button', class: 'button zoom-value' });
  readonly #split: HTMLButtonElement;
  readonly #pair: HTMLButtonElement;
  readonly #hold: HTMLButtonElement;
  readonly #faces: HTMLButtonElement;
  readonly #texts: Messages;

  constructor(texts: Messages, viewer: () => Viewer, toggleFaces: () => void) {
    const { stage } = texts;
    this.#texts = texts;
    this.#zoom.addEventListener('click', () => (viewer().fitted ? viewer().zoomTo(1) : viewer().fit()));
    this.#split = button(stage.split, 'split', () => this.#choose(viewer(), 'split'), { quiet: true });
    this.#pair = button(stage.pair, 'pair', () => this.#choose(viewer(), 'pair'), { quiet: true });
    this.#hold = button(stage.hold, 'eye', () => undefined, { quiet: true });
    this.#faces = button(stage.faces, 'face', toggleFaces, { quiet: true, hidden: true });
    const hold = (on: boolean) => () => {
      viewer().holding = on;
    };
    this.#hold.addEventListener('pointerdown', hold(true));
    for (const end of ['pointerup', 'pointerleave', 'pointercancel', 'blur', 'keyup']) this.#hold.addEventListener(end, hold(false));
    this.#hold.addEventListener('keydown', (event) => {
      if (event.key === ' ' || event.key === 'Enter') hold(true)();
    });
    this.element = el(
      'div',
      { class: 'toolbar', role: 'toolbar', 'aria-label': stage.tools },
      button(stage.zoomOut, 'minus', () => viewer().zoom(0.667), { quiet: true }),
      this.#zoom,
      button(stage.zoomIn, 'plus', () => viewer().zoom(1.5), { quiet: true }),
      el('span', { class: 'bar' }),
      this.#split,
      this.#pair,
      this.#hold,
      this.#faces,
    );
  }

  /** Follows the viewer's state. */
  update(viewer: Viewer, faces: { readonly any: boolean; readonly shown: boolean }, compares: boolean): void {
    const percent = `${viewer.zoomPercent} %`;
    if (this.#zoom.textContent !== percent) {
      this.#zoom.textContent = percent;
      this.#zoom.title = viewer.fitted ? this.#texts.stage.actual : this.#texts.stage.fit;
    }
    this.#split.setAttribute('aria-pressed', String(viewer.mode === 'split'));
    this.#pair.setAttribute('aria-pressed', String(viewer.mode === 'pair'));
    for (const tool of [this.#split, this.#pair, this.#hold]) tool.disabled = !compares;
    this.#faces.hidden = !faces.any;
    this.#faces.setAttribute('aria-pressed', String(faces.shown));
  }

  #choose(viewer: Viewer, mode: 'split' | 'pair'): void {
    viewer.mode = mode;
  }
}
