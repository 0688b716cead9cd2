import { button, el, icon, svg } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';
import { currentTheme, nextTheme } from '../theme.ts';

export interface HeaderTargets {
  add(): void;
  link(): void;
  history(): void;
  key(): void;
  language(): void;
}

const THEME_ICON = { auto: 'auto', light: 'sun', dark: 'moon' } as const;

/** The line at the top: name, history, interface, language, theme. */
export function header(texts: Messages, shows: { readonly add: boolean; readonly key: boolean }, targets: HeaderTargets): HTMLElement {
  const theme = button(
    texts.theme[currentTheme()],
    THEME_ICON[currentTheme()],
    () => {
      const next = nextTheme();
      theme.setAttribute('aria-label', texts.theme[next]);
      theme.title = texts.theme[next];
      theme.replaceChildren(icon(THEME_ICON[next]));
    },
    { quiet: true },
  );
  return el(
    'header',
    { class: 'header' },
    el(
      'p',
      { class: 'brand' },
      mark(),
      el('strong', {}, 'Mingxi'),
      el('span', { lang: 'zh', class: 'brand-zh' }, '明晰'),
      el('span', { class: 'brand-tag muted' }, texts.tagline),
    ),
    el(
      'nav',
      { class: 'header-tools', 'aria-label': 'Mingxi' },
      shows.add && button(texts.add, 'plus', targets.add, { class: 'button-add' }),
      shows.add && button(texts.addLink, 'link', targets.link, { class: 'button-plain' }),
      button(texts.history, 'clock', targets.history, { class: 'button-plain' }),
      shows.key && button(texts.key.change, 'key', targets.key, { class: 'button-plain' }),
      el('a', { class: 'button button-plain', href: '/docs' }, icon('code'), el('span', {}, texts.api)),
      el(
        'button',
        {
          type: 'button',
          class: 'button button-plain language',
          lang: texts.languageSwitch === 'EN' ? 'en' : 'zh-CN',
          onclick: targets.language,
        },
        texts.languageSwitch,
      ),
      theme,
    ),
  );
}

function mark(): SVGElement {
  return svg(
    'svg',
    { class: 'mark', viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    svg('path', { class: 'mark-dull', d: 'M12 3a9 9 0 0 0 0 18z' }),
    svg('path', { class: 'mark-clear', d: 'M12 3a9 9 0 0 1 0 18z' }),
    svg('path', { class: 'mark-line', d: 'M12 1v22' }),
  );
}
