type Child = Node | string | null | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: never) => void)>>;

/**
 * Makes an element. An attribute that is a function listens to the event of its name (`onclick`);
 * `true` sets an empty attribute, `false` and `undefined` leave it out.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value as EventListener);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

/** An SVG element with attributes and children. */
export function svg(tag: string, attributes: Readonly<Record<string, string | number>> = {}, ...children: Node[]): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Paths of a 20 px line icon set drawn for this page. */
const ICONS = {
  plus: 'M10 4v12M4 10h12',
  minus: 'M4 10h12',
  close: 'M5 5l10 10M15 5L5 15',
  check: 'M4 10.5l4 4 8-9',
  alert: 'M10 5.5v5.5M10 14v.5',
  down: 'M10 3.5v9M6 9l4 4 4-4M4 16.5h12',
  archive: 'M3 5h14v3H3zM4.5 8v8h11V8M8.5 11h3',
  link: 'M8.5 11.5l3-3M9 6.5l1.7-1.7a3.1 3.1 0 0 1 4.4 4.4L13.5 11M11 13.5l-1.7 1.7a3.1 3.1 0 0 1-4.4-4.4L6.5 9',
  code: 'M7 6l-4 4 4 4M13 6l4 4-4 4',
  clock: 'M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M10 6.5V10l2.5 1.5',
  sun: 'M10 7a3 3 0 1 0 0 6a3 3 0 0 0 0-6M10 2v2M10 16v2M2 10h2M16 10h2M4.300 4.300l1.400 1.400M14.300 14.300l1.400 1.400M4.300 15.700l1.400-1.400M14.300 5.700l1.400-1.400',
  moon: 'M16 11.800A6.5 6.5 0 0 1 8.2 4a6.5 6.5 0 1 0 7.800 7.800z',
  auto: 'M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M10 3.5v13M10 7h4.5M10 10h6M10 13h4.5',
  fit: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4',
  split: 'M10 3v14M3.5 5.5h13v9h-13z',
  pair: 'M3 5.5h6v9H3zM11 5.5h6v9h-6z',
  eye: 'M2.5 10s3-5 7.5-5 7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5M10 7.800a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 0 0 0-4.4',
  face: 'M4 7V4h3M13 4h3v3M16 13v3h-3M7 16H4v-3M8 8.5v.5M12 8.5v.5M7.5 12.2c1.5 1.400 3.5 1.400 5 0',
  retry: 'M15.5 8A6 6 0 1 0 16 11.5M15.800 4.5V8h-3.5',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.8 10.5h7.400L14.5 6',
  key: 'M12.5 4a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M10 10l-6 6M6.5 13.5l2 2',
  picture: 'M3 4.5h14v11H3zM3 13l4-4 3.5 3.5 2.5-2.5 4 4M13 7.5v.1',
} as const;
export type IconName = keyof typeof ICONS;

/** A decorative icon; the control around it carries the label. */
export function icon(name: IconName): SVGElement {
  return svg('svg', { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true' }, svg('path', { d: ICONS[name] }));
}

/** A button with an icon; without visible text the label goes to assistive technology and the tooltip. */
export function button(
  label: string,
  iconName: IconName | null,
  onclick: (event: MouseEvent) => void,
  extra: Attributes = {},
): HTMLButtonElement {
  const { quiet, class: kind, ...attributes } = extra;
  return el(
    'button',
    {
      type: 'button',
      class: `button ${kind ?? ''}${quiet ? ' button-icon' : ''}`,
      ...(quiet ? { 'aria-label': label, title: label } : {}),
      onclick,
      ...attributes,
    },
    iconName && icon(iconName),
    !quiet && el('span', {}, label),
  );
}
