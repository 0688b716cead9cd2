import { el } from './dom.ts';
import type { Messages } from './i18n/en.ts';
import type { Picture } from './picture.ts';
import { type PyramidCache, release } from './pixels/cache.ts';
import type { Pyramid } from './pixels/messages.ts';
import type { Pixels } from './pixels/pool.ts';
import { keptFaces } from './save/result.ts';
import { Toolbar } from './view/toolbar.ts';
import { Viewer } from './viewer/viewer.ts';

/** The selected picture on the screen: viewer, tools, and the decoded pixels behind them. */
export class Stage {
  readonly element: HTMLElement;
  readonly #texts: Messages;
  readonly #pixels: Pixels;
  readonly #cache: PyramidCache;
  readonly #viewer: Viewer;
  readonly #toolbar: Toolbar;
  readonly #note = el('p', { class: 'stage-note', role: 'status' });
  #picture: Picture | null = null;
  #shown = '';
  #facesShown = true;
  /** The result with faces of the source in it; made for this view alone. */
  #mixed: Pyramid | null = null;

  constructor(texts: Messages, pixels: Pixels, cache: PyramidCache) {
    this.#texts = texts;
    this.#pixels = pixels;
    this.#cache = cache;
    this.#viewer = new Viewer(texts, () => this.#updateTools());
    this.#toolbar = new Toolbar(
      texts,
      () => this.#viewer,
      () => {
        this.#facesShown = !this.#facesShown;
        this.#showFaces();
      },
    );
    this.element = el('div', { class: 'stage' }, this.#viewer.element, this.#note, this.#toolbar.element);
  }

  /** Shows a picture as far as it is there; the same state twice costs nothing. */
  show(picture: Picture | null): void {
    const state =
      picture === null ? '' : `${picture.id}${picture.attempt}${picture.before !== null}${picture.after !== null}${[...picture.keptFaces]}`;
    if (state === this.#shown) return;
    this.#shown = state;
    this.#picture = picture;
    void this.#open(picture, state);
  }

  /** The share of the result, at once. */
  set strength(value: number) {
    this.#viewer.strength = value;
  }

  async #open(picture: Picture | null, state: string): Promise<void> {
    const opening = setTimeout(() => {
      this.#note.textContent = this.#texts.stage.opening;
    }, 200);
    const before = picture?.before == null ? null : await this.#cache.get(picture.before).catch(() => null);
    const after = picture === null ? null : await this.#result(picture).catch(() => null);
    clearTimeout(opening);
    if (state !== this.#shown) return; // another picture was chosen meanwhile
    const { unreadable, noPreview } = this.#texts.stage;
    this.#note.textContent = before !== null || picture?.before == null ? '' : after === null ? unreadable : noPreview;
    this.#viewer.strength = picture?.strength ?? 1;
    this.#viewer.show({ before, after, alpha: picture?.job?.report?.source.alpha ?? false });
    this.#showFaces();
    this.#cache.trim();
    if (this.#mixed !== null && this.#mixed !== after) release(this.#mixed);
    this.#mixed = picture !== null && picture.keptFaces.size > 0 ? after : null;
  }

  async #result(picture: Picture): Promise<Pyramid | null> {
    const { before, after } = picture;
    if (after === null) return null;
    if (picture.keptFaces.size === 0 || before === null) return this.#cache.get(after);
    return this.#pixels.do('keepFaces', { before, after, kept: keptFaces(picture) });
  }

  #showFaces(): void {
    const picture = this.#picture;
    this.#viewer.faces.show(picture?.job?.report?.faces ?? [], picture?.keptFaces ?? new Set(), this.#facesShown);
    this.#viewer.strength = picture?.strength ?? 1; // draws again, with the boxes in place
  }

  #updateTools(): void {
    const picture = this.#picture;
    const faces = picture?.job?.report?.faces.length ?? 0;
    const compares = picture?.after != null && picture.before !== null;
    this.#toolbar.update(this.#viewer, { any: faces > 0, shown: this.#facesShown }, compares);
  }
}
