import { el, svg } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';
import type { Pyramid } from '../pixels/messages.ts';
import { FaceLayer } from './face-layer.ts';
import { listenToGestures } from './gestures.ts';
import { listenToKeys } from './keys.ts';
import { type Pane, paint, paintChequers } from './paint.ts';
import { clampView, fitScale, fitView, type Size, type View, zoomAt } from './view.ts';

export interface Shown {
  readonly before: Pyramid | null;
  readonly after: Pyramid | null;
  readonly alpha: boolean;
}

/**
 * Before and after on one canvas: divider or side by side, one view for both. The strength dial is
 * the opacity of the result over the source, so it needs no new pixels.
 */
export class Viewer {
  readonly element: HTMLElement;
  readonly faces: FaceLayer;
  readonly #canvas = el('canvas', { class: 'stage-canvas' });
  readonly #context: CanvasRenderingContext2D;
  readonly #divider: HTMLElement;
  readonly #beforeChip: HTMLElement;
  readonly #afterChip: HTMLElement;
  readonly #onView: () => void;
  #shown: Shown = { before: null, after: null, alpha: false };
  #view: View = { x: 0, y: 0, scale: 1 };
  #fitted = true;
  #split = 0.5;
  #strength = 1;
  #mode: 'split' | 'pair' = 'split';
  #holding = false;
  #frame = 0;

  constructor(texts: Messages, onView: () => void) {
    this.#onView = onView;
    const context = this.#canvas.getContext('2d', { alpha: true });
    if (context === null) throw new Error('no canvas');
    this.#context = context;
    this.faces = new FaceLayer();
    this.#beforeChip = el('span', { class: 'chip chip-before' }, texts.stage.before);
    this.#afterChip = el('span', { class: 'chip chip-after' }, texts.stage.after);
    this.#divider = el(
      'div',
      {
        class: 'divider',
        role: 'slider',
        tabindex: 0,
        'aria-label': texts.stage.divider,
        'aria-orientation': 'horizontal',
        'aria-valuemin': 0,
        'aria-valuemax': 100,
      },
      el(
        'span',
        { class: 'divider-grip' },
        svg('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, svg('path', { d: 'M8 6l-4 4 4 4M12 6l4 4-4 4' })),
      ),
    );
    this.element = el(
      'div',
      { class: 'viewer', tabindex: 0, role: 'group', 'aria-label': texts.stage.label },
      this.#canvas,
      this.faces.element,
      this.#beforeChip,
      this.#afterChip,
      this.#divider,
    );
    listenToGestures(this.#canvas, {
      zoom: (factor, x, y) => this.zoom(factor, x, y),
      drag: (dx, dy, x) => this.#drag(dx, dy, x),
      doubleTap: (x, y) => (this.#fitted ? this.zoom(1 / this.#view.scale, x, y) : this.fit()),
    });
    listenToKeys(this.element, this.#divider, this);
    this.#listenToDivider();
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  /** Shows another picture, or the same one further on; the view stays when the size does. */
  show(shown: Shown): void {
    const size = this.#picture();
    this.#shown = shown;
    const next = this.#picture();
    if (size === null || next === null || size.width !== next.width || size.height !== next.height) this.fit();
    this.#draw();
  }

  get strength(): number {
    return this.#strength;
  }

  set strength(value: number) {
    this.#strength = value;
    this.#draw();
  }

  get mode(): 'split' | 'pair' {
    return this.#mode;
  }

  set mode(mode: 'split' | 'pair') {
    this.#mode = mode;
    if (this.#fitted) this.fit();
    this.#draw();
  }

  /** While holding, the source alone is seen. */
  set holding(value: boolean) {
    this.#holding = value;
    this.#draw();
  }

  /** Per cent of screen pixels per picture pixel. */
  get zoomPercent(): number {
    return Math.round(this.#view.scale * 100);
  }

  get fitted(): boolean {
    return this.#fitted;
  }

  fit(): void {
    const picture = this.#picture();
    if (picture !== null) this.#view = fitView(picture, this.#pane());
    this.#fitted = true;
    this.#draw();
  }

  /** Zooms by a factor around a point in CSS pixels; the middle by default. */
  zoom(factor: number, x?: number, y?: number): void {
    const picture = this.#picture();
    if (picture === null) return;
    const ratio = devicePixelRatio;
    const pane = this.#pane();
    const px = x === undefined ? pane.width / 2 : (x * ratio) % (this.#mode === 'pair' ? pane.width + GAP : Number.POSITIVE_INFINITY);
    this.#view = zoomAt(this.#view, factor, px, y === undefined ? pane.height / 2 : y * ratio, picture, pane);
    this.#fitted = Math.abs(this.#view.scale - Math.min(1, fitScale(picture, pane))) < 1e-6;
    this.#draw();
  }

  zoomTo(scale: number): void {
    this.zoom(scale / this.#view.scale);
  }

  pan(dx: number, dy: number): void {
    const picture = this.#picture();
    if (picture === null) return;
    const ratio = devicePixelRatio / this.#view.scale;
    this.#view = clampView({ ...this.#view, x: this.#view.x - dx * ratio, y: this.#view.y - dy * ratio }, picture, this.#pane());
    this.#draw();
  }

  moveDivider(by: number): void {
    this.#setSplit(this.#split + by);
  }

  // In the fitted view there is nothing to pan: a drag moves the divider there.
  #drag(dx: number, dy: number, x: number): void {
    if (this.#fitted && this.#mode === 'split' && this.#compares) this.#setSplit(x / this.element.clientWidth);
    else this.pan(dx, dy);
  }

  #setSplit(value: number): void {
    this.#split = Math.min(1, Math.max(0, value));
    this.#draw();
  }

  get #compares(): boolean {
    return this.#shown.before !== null && this.#shown.after !== null;
  }

  #picture(): Size | null {
    return this.#shown.after ?? this.#shown.before;
  }

  #pane(): Pane {
    const { width, height } = this.#canvas;
    const pair = this.#mode === 'pair' && this.#compares;
    return { left: 0, width: pair ? Math.max(1, Math.floor((width - GAP) / 2)) : Math.max(1, width), height: Math.max(1, height) };
  }

  #resize(): void {
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(this.element.clientWidth * ratio);
    this.#canvas.height = Math.round(this.element.clientHeight * ratio);
    const picture = this.#picture();
    if (this.#fitted || picture === null) this.fit();
    else this.#view = clampView(this.#view, picture, this.#pane());
    this.#paintNow(); // a resized canvas is empty: do not show it so for a frame
  }

  #draw(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => this.#paintNow());
  }

  #paintNow(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const context = this.#context;
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    const pane = this.#pane();
    const pair = this.#mode === 'pair' && this.#compares;
    if (pair) {
      this.#paintPane(pane, pane.width);
      this.#paintPane({ ...pane, left: pane.width + GAP }, this.#holding ? pane.width : 0);
    } else {
      this.#paintPane(
        pane,
        this.#holding || this.#shown.after === null ? pane.width : this.#shown.before === null ? 0 : pane.width * this.#split,
      );
    }
    this.#arrange(pair);
    this.faces.place(this.#view, pane, devicePixelRatio);
    this.#onView();
  }

  // Left of `edge` the source, right of it the blend.
  #paintPane(pane: Pane, edge: number): void {
    const { before, after, alpha } = this.#shown;
    const picture = this.#picture();
    if (picture === null) return;
    const context = this.#context;
    if (alpha) paintChequers(context, picture, this.#view, pane);
    if (before !== null) paint(context, before, this.#scaledTo(before), pane, 0, this.#strength < 1 ? pane.width : edge);
    if (after === null || edge >= pane.width) return;
    context.globalAlpha = before === null ? 1 : this.#strength;
    paint(context, after, this.#view, pane, edge, pane.width);
    context.globalAlpha = 1;
  }

  // An enlarged result lies over its smaller source: same place on the screen, other scale.
  #scaledTo(before: Pyramid): View {
    const picture = this.#picture();
    const factor = picture === null ? 1 : picture.width / before.width;
    return { x: this.#view.x / factor, y: this.#view.y / factor, scale: this.#view.scale * factor };
  }

  #arrange(pair: boolean): void {
    const split = this.#compares && !pair && !this.#holding;
    this.#divider.hidden = !split;
    this.#beforeChip.hidden = !this.#compares;
    this.#afterChip.hidden = !this.#compares || this.#holding;
    this.#divider.style.transform = `translateX(${this.#split * this.element.clientWidth}px)`;
    this.#divider.setAttribute('aria-valuenow', String(Math.round(this.#split * 100)));
    this.element.dataset.mode = pair ? 'pair' : 'split';
    this.element.dataset.fitted = String(this.#fitted);
  }

  #listenToDivider(): void {
    const divider = this.#divider;
    divider.addEventListener('pointerdown', (event) => divider.setPointerCapture(event.pointerId));
    divider.addEventListener('pointermove', (event) => {
      if (!divider.hasPointerCapture(event.pointerId)) return;
      const box = this.element.getBoundingClientRect();
      this.#setSplit((event.clientX - box.left) / box.width);
    });
  }
}

/** Device pixels between the two pictures of the side-by-side view. */
const GAP = 4;
