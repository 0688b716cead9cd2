import { button, el, icon, svg } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';
import { isActive, type Picture } from '../picture.ts';

export interface StripTargets {
  select(picture: Picture): void;
  cancel(picture: Picture): void;
  remove(picture: Picture): void;
  cancelAll(): void;
  clear(): void;
  downloadAll(): void;
}

const CIRCLE = 2 * Math.PI * 15;

/** The row of thumbnails with their progress; one cell per picture, kept and updated in place. */
export class Strip {
  readonly element: HTMLElement;
  readonly #texts: Messages;
  readonly #targets: StripTargets;
  readonly #list = el('ul', { class: 'strip-list' });
  readonly #summary = el('p', { class: 'strip-summary', role: 'status', 'aria-live': 'polite' });
  readonly #actions = el('div', { class: 'strip-actions' });
  readonly #cells = new Map<number, Cell>();
  #packing = false;

  constructor(texts: Messages, targets: StripTargets) {
    this.#texts = texts;
    this.#targets = targets;
    this.element = el(
      'section',
      { class: 'strip', 'aria-label': texts.strip.label },
      el('div', { class: 'strip-head' }, this.#summary, this.#actions),
      this.#list,
    );
  }

  set packing(value: boolean) {
    this.#packing = value;
  }

  render(pictures: readonly Picture[], selected: Picture | null): void {
    for (const [id, cell] of this.#cells) {
      if (pictures.some((picture) => picture.id === id)) continue;
      cell.element.remove();
      this.#cells.delete(id);
    }
    for (const picture of pictures) this.#cell(picture).update(picture, picture === selected, this.#texts);
    this.#head(pictures);
  }

  /** Brings the selected picture's cell into sight. */
  reveal(picture: Picture): void {
    this.#cells.get(picture.id)?.element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  #cell(picture: Picture): Cell {
    let cell = this.#cells.get(picture.id);
    if (cell === undefined) {
      cell = new Cell(picture, this.#targets);
      this.#cells.set(picture.id, cell);
      this.#list.append(cell.element);
    }
    return cell;
  }

  #head(pictures: readonly Picture[]): void {
    const count = (status: Picture['status']) => pictures.filter((picture) => picture.status === status).length;
    const { strip } = this.#texts;
    const summary = strip.summary(count('done'), pictures.length, count('failed'));
    if (this.#summary.textContent !== summary) this.#summary.textContent = summary; // said aloud only when it changed
    const active = pictures.some(isActive);
    const state = `${active}${count('done') > 1}${this.#packing}`;
    if (this.#actions.dataset.state === state) return; // keeps the focus where it is
    this.#actions.dataset.state = state;
    this.#actions.replaceChildren(
      ...(count('done') > 1
        ? [
            button(this.#packing ? strip.packing : strip.downloadAll, 'archive', () => this.#targets.downloadAll(), {
              class: 'button-small',
              disabled: this.#packing,
            }),
          ]
        : []),
      active && pictures.length > 1
        ? button(strip.cancelAll, 'close', () => this.#targets.cancelAll(), { class: 'button-small' })
        : button(strip.clear, 'trash', () => this.#targets.clear(), { class: 'button-small', disabled: active }),
    );
  }
}

class Cell {
  readonly element: HTMLElement;
  readonly #open: HTMLButtonElement;
  readonly #image = el('img', { alt: '', draggable: 'false', hidden: true });
  readonly #badge = el('span', { class: 'cell-badge' });
  readonly #end: HTMLButtonElement;
  readonly #arc = svg('circle', { class: 'arc', cx: 18, cy: 18, r: 15, 'stroke-dasharray': CIRCLE });
  #badgeState = '';

  constructor(picture: Picture, targets: StripTargets) {
    this.#open = el('button', { type: 'button', class: 'cell-open', onclick: () => targets.select(picture) }, this.#image, this.#badge);
    this.#end = button('', 'close', () => (isActive(picture) ? targets.cancel(picture) : targets.remove(picture)), {
      quiet: true,
      class: 'cell-end',
    });
    this.element = el('li', { class: 'cell' }, this.#open, this.#end);
  }

  update(picture: Picture, selected: boolean, texts: Messages): void {
    this.element.dataset.status = picture.status;
    if (selected) this.#open.setAttribute('aria-current', 'true');
    else this.#open.removeAttribute('aria-current');
    const percent = picture.status === 'running' ? ` ${Math.round(picture.progress * 100)} %` : '';
    setLabel(this.#open, `${picture.name}, ${texts.status[picture.status]}${percent}`);
    setLabel(this.#end, (isActive(picture) ? texts.strip.cancel : texts.strip.remove)(picture.name));
    if (picture.thumbnail !== null && this.#image.src !== picture.thumbnail) {
      this.#image.src = picture.thumbnail;
      this.#image.hidden = false;
    }
    this.#showBadge(picture);
  }

  #showBadge(picture: Picture): void {
    const state = isActive(picture) ? 'ring' : picture.status;
    if (state === 'ring') this.#arc.setAttribute('stroke-dashoffset', String(CIRCLE * (1 - shownProgress(picture))));
    if (state === this.#badgeState) return;
    this.#badgeState = state;
    const ring = () =>
      svg('svg', { class: 'ring', viewBox: '0 0 36 36', 'aria-hidden': 'true' }, svg('circle', { cx: 18, cy: 18, r: 15 }), this.#arc);
    this.#badge.replaceChildren(state === 'ring' ? ring() : icon(state === 'done' ? 'check' : state === 'failed' ? 'alert' : 'close'));
  }
}

/** One bar for the whole way: sending is its first tenth. */
export function shownProgress(picture: Picture): number {
  if (picture.status === 'waiting') return 0;
  if (picture.status === 'sending') return picture.progress * 0.1;
  return picture.status === 'queued' ? 0.1 : 0.1 + picture.progress * 0.9;
}

function setLabel(node: HTMLElement, label: string): void {
  if (node.getAttribute('aria-label') === label) return;
  node.setAttribute('aria-label', label);
  node.title = label;
}
