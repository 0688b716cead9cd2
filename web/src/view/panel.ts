import { button, el, icon } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';
import { isActive, type Picture } from '../picture.ts';
import type { SaveFormat } from '../save/result.ts';
import { deeds, fileSize, findings } from '../words.ts';
import { shownProgress } from './strip.ts';

export interface PanelTargets {
  cancel(picture: Picture): void;
  retry(picture: Picture): void;
  remove(picture: Picture): void;
  strength(picture: Picture, value: number): void;
  keepFace(picture: Picture, index: number, kept: boolean): void;
  download(picture: Picture, format: SaveFormat): void;
  code(picture: Picture): void;
}

/** Everything about the selected picture in words, and what one can do with it. */
export class Panel {
  readonly element = el('section', { class: 'panel-picture' });
  readonly #texts: Messages;
  readonly #targets: PanelTargets;
  #state = '';
  #bar: HTMLProgressElement | null = null;
  #barText: HTMLElement | null = null;

  constructor(texts: Messages, targets: PanelTargets) {
    this.#texts = texts;
    this.#targets = targets;
  }

  render(picture: Picture | null): void {
    const state = picture === null ? '' : `${picture.id}${isActive(picture) ? 'active' : picture.status}`;
    if (state !== this.#state) {
      this.#state = state;
      this.element.replaceChildren(...(picture === null ? [] : this.#build(picture)));
    }
    if (picture !== null && isActive(picture)) this.#showProgress(picture);
  }

  #build(picture: Picture): Node[] {
    const head = el(
      'header',
      { class: 'panel-head' },
      el('h2', { class: 'name', title: picture.name }, picture.name),
      this.#facts(picture),
    );
    if (isActive(picture)) return [head, this.#progress(picture)];
    if (picture.status === 'done') return [head, ...this.#done(picture)];
    return [head, this.#ended(picture)];
  }

  #facts(picture: Picture): HTMLElement {
    const source = picture.job?.report?.source;
    const size = source?.bytes ?? picture.before?.size;
    const parts = [
      source && `${source.width} × ${source.height}`,
      source && [source.format.toUpperCase(), source.bits === 16 ? '16 bit' : ''].filter(Boolean).join(' '),
      size && fileSize(size),
    ];
    return el('p', { class: 'muted small' }, parts.filter(Boolean).join(' · '));
  }

  #progress(picture: Picture): HTMLElement {
    this.#bar = el('progress', { max: 1, value: 0, 'aria-label': picture.name });
    this.#barText = el('p', { class: 'progress-text', role: 'status' });
    return el(
      'div',
      { class: 'block' },
      this.#barText,
      this.#bar,
      button(this.#texts.cancel, 'close', () => this.#targets.cancel(picture)),
    );
  }

  #showProgress(picture: Picture): void {
    if (this.#bar === null || this.#barText === null) return;
    this.#bar.value = shownProgress(picture);
    const percent = picture.status === 'running' || picture.status === 'sending' ? ` ${Math.round(picture.progress * 100)} %` : '';
    const text = this.#texts.status[picture.status] + percent;
    if (this.#barText.textContent !== text) this.#barText.textContent = text;
  }

  #ended(picture: Picture): HTMLElement {
    const { texts, targets } = { texts: this.#texts, targets: this.#targets };
    const { error } = picture;
    const support = [error?.code, error?.requestId].filter((part) => part !== undefined && part !== 'other').join(' · ');
    return el(
      'div',
      { class: 'block', role: error === null ? 'status' : 'alert' },
      error === null
        ? el('p', { class: 'lead' }, texts.status.cancelled)
        : el('p', { class: 'lead failure' }, icon('alert'), texts.errors[error.code] ?? texts.errors.other),
      error !== null && error.message !== '' && el('p', { class: 'muted small' }, error.message),
      support !== '' && el('p', { class: 'muted small code-line' }, texts.support(support)),
      el(
        'div',
        { class: 'row' },
        button(texts.retry, 'retry', () => targets.retry(picture)),
        button(texts.remove, 'trash', () => targets.remove(picture)),
      ),
    );
  }

  #done(picture: Picture): Node[] {
    const report = picture.job?.report;
    return [
      this.#strength(picture),
      ...(report === undefined ? [] : [this.#found(picture), this.#did(picture)]),
      ...(report !== undefined && report.faces.length > 0 ? [this.#faces(picture)] : []),
      this.#save(picture),
      ...(report === undefined ? [] : [this.#details(picture)]),
    ];
  }

  #strength(picture: Picture): HTMLElement {
    const { strength } = this.#texts;
    const output = el('output', { for: 'strength', class: 'figure' });
    const show = (value: number) => {
      output.textContent = `${Math.round(value * 100)} %`;
      slider.style.setProperty('--share', String(value));
      slider.setAttribute('aria-valuetext', output.textContent);
    };
    const slider = el('input', {
      type: 'range',
      id: 'strength',
      class: 'dial',
      min: 0,
      max: 100,
      step: 1,
      value: Math.round(picture.strength * 100),
      'aria-describedby': 'strength-hint',
      oninput: () => {
        show(slider.valueAsNumber / 100);
        this.#targets.strength(picture, slider.valueAsNumber / 100);
      },
    });
    show(picture.strength);
    return el(
      'div',
      { class: 'block' },
      el('div', { class: 'row row-between' }, el('label', { for: 'strength', class: 'title' }, strength.label), output),
      slider,
      el('p', { class: 'muted small', id: 'strength-hint' }, strength.hint),
    );
  }

  #found(picture: Picture): HTMLElement {
    const report = picture.job?.report;
    if (report === undefined) return el('div');
    const lines = findings(report, this.#texts).map(({ label, words, badness, figure }) => {
      const gauge = el('span', { class: 'gauge', 'aria-hidden': 'true' });
      gauge.style.setProperty('--share', String(badness));
      return el(
        'div',
        { class: 'finding' },
        el('dt', {}, label),
        el('dd', {}, el('span', {}, words), el('span', { class: 'figure muted' }, figure)),
        gauge,
      );
    });
    return el(
      'div',
      { class: 'block' },
      el('h3', { class: 'title' }, this.#texts.found.title),
      report.analysis.clean && el('p', {}, this.#texts.found.clean),
      el('dl', { class: 'findings' }, ...lines),
    );
  }

  #did(picture: Picture): HTMLElement {
    const report = picture.job?.report;
    if (report === undefined) return el('div');
    const [first, ...rest] = deeds(report, this.#texts);
    return el(
      'div',
      { class: 'block' },
      el('h3', { class: 'title' }, this.#texts.did.title),
      el('p', {}, first ?? ''),
      el('p', { class: 'muted small' }, rest.join(' · ')),
    );
  }

  #faces(picture: Picture): HTMLElement {
    const { faces } = this.#texts;
    const rows = (picture.job?.report?.faces ?? []).map((face, i) => {
      const box = el('input', {
        type: 'checkbox',
        checked: !picture.keptFaces.has(i),
        onchange: () => this.#targets.keepFace(picture, i, !box.checked),
      });
      const what = face.action === 'restored' ? faces.restored : [faces.left, face.reason].filter(Boolean).join(': ');
      return el(
        'li',
        {},
        el(
          'label',
          { class: 'check' },
          box,
          el('span', {}, faces.face(i + 1)),
          el('span', { class: 'muted small' }, `${what}, ${faces.px(Math.round(face.box[2]))}`),
        ),
      );
    });
    return el(
      'div',
      { class: 'block' },
      el('h3', { class: 'title' }, faces.title),
      el('ul', { class: 'plain' }, ...rows),
      el('p', { class: 'muted small' }, faces.hint),
    );
  }

  #save(picture: Picture): HTMLElement {
    const { save } = this.#texts;
    const formats: [SaveFormat, string][] = [
      ['same', save.same],
      ['image/jpeg', 'JPEG'],
      ['image/png', 'PNG'],
      ['image/webp', 'WebP'],
    ];
    const select = el(
      'select',
      { class: 'field', 'aria-label': save.format },
      ...formats.map(([value, label]) => el('option', { value }, label)),
    );
    return el(
      'div',
      { class: 'block' },
      el(
        'div',
        { class: 'row save-row' },
        button(save.download, 'down', () => this.#targets.download(picture, select.value as SaveFormat), { class: 'button-primary grow' }),
        select,
      ),
      button(save.code, 'code', () => this.#targets.code(picture), { class: 'button-wide' }),
    );
  }

  #details(picture: Picture): HTMLElement {
    const { details, did, save } = this.#texts;
    const report = picture.job?.report;
    if (report === undefined) return el('div');
    const timings = Object.entries(report.timings).map(([name, ms]) => `${name} ${Math.round(ms)} ms`);
    const copy = button(
      details.copyReport,
      null,
      () => {
        navigator.clipboard?.writeText(JSON.stringify(report, null, 2)).then(
          () => copy.replaceChildren(save.copied),
          () => undefined,
        );
      },
      { class: 'button-small' },
    );
    return el(
      'details',
      { class: 'block more' },
      el('summary', {}, details.title),
      el('p', { class: 'small muted' }, `${details.timings}: ${timings.join(', ')}`),
      report.warnings.length > 0 && el('p', { class: 'small muted' }, `${did.warnings}: ${report.warnings.join('; ')}`),
      picture.jobId !== null && el('p', { class: 'small muted code-line' }, picture.jobId),
      copy,
    );
  }
}
