import { button, el } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';
import type { Picture } from '../picture.ts';
import type { Past } from '../save/history.ts';
import { type Dialect, type Form, snippet } from '../save/snippets.ts';
import { type IntakeTargets, linkForm } from './intake.ts';

/** A modal dialog with a title and a close button; gone from the page once closed. */
function dialog(texts: Messages, title: string, ...content: (Node | string)[]): HTMLDialogElement {
  const node = el(
    'dialog',
    { class: 'dialog', 'aria-label': title, onclose: () => node.remove() },
    el(
      'header',
      { class: 'dialog-head' },
      el('h2', {}, title),
      button(texts.close, 'close', () => node.close(), { quiet: true }),
    ),
    ...content,
  );
  node.addEventListener('click', (event) => {
    if (event.target === node) node.close();
  });
  document.body.append(node);
  node.showModal();
  return node;
}

/** Asks for an API key; `wrong` says the last one was refused. */
export function askForKey(texts: Messages, wrong: boolean, use: (key: string, secret: string, onDevice: boolean) => void): void {
  if (document.querySelector('.dialog-key') !== null) return;
  const { key } = texts;
  const name = el('input', { class: 'field', name: 'api-key', required: true, autocomplete: 'username', spellcheck: 'false' });
  const secret = el('input', { class: 'field', name: 'api-secret', type: 'password', required: true, autocomplete: 'current-password' });
  const device = el('input', { type: 'checkbox' });
  const form = el(
    'form',
    {
      class: 'stack',
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        node.close();
        use(name.value.trim(), secret.value.trim(), device.checked);
      },
    },
    wrong ? el('p', { class: 'failure', role: 'alert' }, key.wrong) : el('p', { class: 'muted' }, key.intro),
    el('label', { class: 'stack' }, el('span', {}, key.key), name),
    el('label', { class: 'stack' }, el('span', {}, key.secret), secret),
    el('label', { class: 'check' }, device, el('span', {}, key.remember)),
    el('button', { type: 'submit', class: 'button button-primary' }, key.use),
  );
  const node = dialog(texts, key.title, form);
  node.classList.add('dialog-key');
}

/** A link for one more picture. */
export function askForLink(texts: Messages, targets: IntakeTargets): void {
  const node = dialog(
    texts,
    texts.addLink,
    linkForm(texts, targets, () => node.close()),
  );
}

/** The same restoration as curl or JSON, in both dialects. */
export function showCode(texts: Messages, picture: Picture): void {
  const { code, save } = texts;
  let dialect: Dialect = 'modern';
  let shape: Form = 'curl';
  const text = el('pre', { class: 'snippet', tabindex: 0 });
  const show = () => {
    text.textContent = snippet(picture, dialect, shape, location.origin);
    copy.replaceChildren(save.copy);
  };
  const copy = button(
    save.copy,
    null,
    () =>
      navigator.clipboard?.writeText(text.textContent ?? '').then(
        () => copy.replaceChildren(save.copied),
        () => select(text),
      ),
    { class: 'button-primary' },
  );
  const choices = <T extends string>(legend: string, options: readonly (readonly [T, string])[], chosen: T, choose: (value: T) => void) =>
    el(
      'fieldset',
      { class: 'segments' },
      el('legend', { class: 'visually-hidden' }, legend),
      ...options.map(([value, label]) =>
        el(
          'label',
          {},
          el('input', {
            type: 'radio',
            name: legend,
            value,
            checked: value === chosen,
            onchange: () => {
              choose(value);
              show();
            },
          }),
          el('span', {}, label),
        ),
      ),
    );
  dialog(
    texts,
    code.title,
    el('p', { class: 'muted' }, code.intro),
    el(
      'div',
      { class: 'row' },
      choices(
        code.dialect,
        [
          ['modern', code.modern],
          ['wire', code.wire],
        ],
        dialect,
        (value) => {
          dialect = value;
        },
      ),
      choices(
        code.shape,
        [
          ['curl', code.curl],
          ['json', code.json],
        ],
        shape,
        (value) => {
          shape = value;
        },
      ),
    ),
    text,
    el('div', { class: 'row row-end' }, copy),
  );
  show();
}

/** What this browser remembers. */
export async function showHistory(
  texts: Messages,
  list: Promise<readonly Past[]>,
  open: (past: Past) => void,
  clear: () => void,
): Promise<void> {
  const { past } = texts;
  const grid = el('ul', { class: 'past' });
  const urls: string[] = [];
  const node = dialog(texts, past.title, el('p', { class: 'muted' }, past.intro), grid);
  node.addEventListener('close', () =>
    urls.forEach((url) => {
      URL.revokeObjectURL(url);
    }),
  );
  const all = await list.catch(() => null);
  if (all === null || all.length === 0) {
    grid.replaceWith(el('p', {}, all === null ? past.unavailable : past.empty));
    return;
  }
  grid.append(
    ...all.map((item) => {
      const url = URL.createObjectURL(item.thumbnail);
      urls.push(url);
      const when = new Date(item.time).toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
      const pick = () => {
        node.close();
        open(item);
      };
      return el(
        'li',
        {},
        el(
          'button',
          { type: 'button', class: 'past-item', 'aria-label': past.open(item.name), onclick: pick },
          el('img', { src: url, alt: '' }),
          el('span', { class: 'past-name' }, item.name),
          el('span', { class: 'muted small' }, when),
        ),
      );
    }),
  );
  node.append(
    el(
      'div',
      { class: 'row row-end' },
      button(past.clear, 'trash', () => {
        node.close();
        clear();
      }),
    ),
  );
}

function select(node: HTMLElement): void {
  getSelection()?.selectAllChildren(node);
}
