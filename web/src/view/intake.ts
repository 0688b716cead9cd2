import type { Source } from '../api/client.ts';
import { button, el, icon } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';

export interface IntakeTargets {
  take(sources: readonly Source[]): void;
  complain(message: string): void;
}

/** Names a browser may give no type for, though the server reads them. */
const PICTURE_NAME = /\.(jpe?g|png|webp|avif|tiff?)$/i;
export const ACCEPTED = 'image/jpeg,image/png,image/webp,image/avif,image/tiff,.jpg,.jpeg,.png,.webp,.avif,.tif,.tiff';

/** Files, as far as they are pictures; the rest is named in one complaint. */
export function takeFiles(files: Iterable<File>, texts: Messages, targets: IntakeTargets): void {
  const all = [...files];
  const pictures = all.filter((file) => file.type.startsWith('image/') || PICTURE_NAME.test(file.name));
  const other = all.find((file) => !pictures.includes(file));
  if (other !== undefined) targets.complain(texts.notPicture(other.name));
  if (pictures.length > 0) targets.take(pictures.map((file) => ({ kind: 'file', blob: file, name: file.name || 'pasted.png' })));
}

/** A typed or dropped link. */
export function takeLink(text: string, texts: Messages, targets: IntakeTargets): boolean {
  const url = urlOf(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) {
    targets.complain(texts.badLink);
    return false;
  }
  targets.take([{ kind: 'link', url: url.href }]);
  return true;
}

/** The hidden file input every "choose" button opens. */
export function fileInput(texts: () => Messages, targets: IntakeTargets): HTMLInputElement {
  const input = el('input', { type: 'file', accept: ACCEPTED, multiple: true, class: 'file-input', tabindex: -1, 'aria-hidden': 'true' });
  input.addEventListener('change', () => {
    takeFiles(input.files ?? [], texts(), targets);
    input.value = '';
  });
  return input;
}

/** Drop and paste anywhere on the page. */
export function listenForPictures(texts: () => Messages, targets: IntakeTargets): void {
  let depth = 0;
  const set = (dragging: boolean) => document.body.classList.toggle('dragging', dragging);
  addEventListener('dragenter', (event) => {
    event.preventDefault();
    depth++;
    set(true);
  });
  addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) set(false);
  });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    set(false);
    take(event.dataTransfer, texts(), targets);
  });
  addEventListener('paste', (event) => {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== 'file';
    if (!typing || (event.clipboardData?.files.length ?? 0) > 0) take(event.clipboardData, texts(), targets);
  });
}

function take(data: DataTransfer | null, texts: Messages, targets: IntakeTargets): void {
  if (data === null) return;
  if (data.files.length > 0) takeFiles(data.files, texts, targets);
  else {
    const text = data.getData('text/uri-list') || data.getData('text/plain');
    if (text.trim() !== '') takeLink(text.split('\n')[0] ?? '', texts, targets);
  }
}

/** What one sees before the first picture. */
export function emptyState(
  texts: Messages,
  limits: { maxFileBytes: number; maxPixels: number },
  input: HTMLInputElement,
  targets: IntakeTargets,
): HTMLElement {
  const { empty } = texts;
  const touch = matchMedia('(pointer: coarse)').matches;
  return el(
    'section',
    { class: 'empty' },
    el('div', { class: 'empty-mark' }, icon('picture')),
    el('h1', {}, touch ? empty.titleTouch : empty.title),
    el(
      'p',
      { class: 'empty-ways' },
      button(empty.choose, 'plus', () => input.click(), { class: 'button-primary' }),
      !touch && el('span', { class: 'muted' }, empty.paste),
    ),
    linkForm(texts, targets),
    el(
      'p',
      { class: 'muted small' },
      empty.limits(Math.round(limits.maxFileBytes / 1024 / 1024), Math.round(limits.maxPixels / 1_000_000)),
    ),
    el('p', { class: 'muted small' }, empty.privacy),
  );
}

/** A field for a link with its button; `done` after a link was taken. */
export function linkForm(texts: Messages, targets: IntakeTargets, done: () => void = () => undefined): HTMLElement {
  const field = el('input', {
    type: 'url',
    name: 'link',
    class: 'field',
    placeholder: texts.empty.linkPlaceholder,
    'aria-label': texts.empty.link,
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  return el(
    'form',
    {
      class: 'link-form',
      novalidate: true,
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        if (!takeLink(field.value, texts, targets)) return field.focus();
        field.value = '';
        done();
      },
    },
    field,
    el('button', { class: 'button', type: 'submit' }, texts.empty.linkGo),
  );
}

function urlOf(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
