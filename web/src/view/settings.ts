import type { Settings } from '../api/types.ts';
import { button, el } from '../dom.ts';
import type { Messages } from '../i18n/en.ts';
import { remember, remembered } from '../remember.ts';

/** Remembered settings, checked: storage may hold anything. */
export function storedSettings(): Settings {
  try {
    const value = JSON.parse(remembered('settings') ?? '{}') as Partial<Settings>;
    return {
      model: typeof value.model === 'string' ? value.model : 'auto',
      face: value.face === 'off' ? 'off' : 'auto',
      metadata: value.metadata === 'strip' ? 'strip' : 'keep',
    };
  } catch {
    return { model: 'auto', face: 'auto', metadata: 'keep' };
  }
}

export interface SettingsTargets {
  changed(settings: Settings): void;
  /** The selected picture once more, with these settings. */
  again(): void;
}

/** How pictures added from now on are restored. */
export function settingsForm(texts: Messages, models: readonly string[], current: Settings, targets: SettingsTargets): HTMLElement {
  const { settings } = texts;
  let value = current;
  const choice = (name: keyof Settings, label: string, options: readonly (readonly [string, string])[]) => {
    const select = el(
      'select',
      {
        class: 'field',
        onchange: () => {
          value = { ...value, [name]: select.value };
          remember('settings', JSON.stringify(value));
          targets.changed(value);
        },
      },
      ...options.map(([id, text]) => el('option', { value: id, selected: value[name] === id }, text)),
    );
    return el('label', { class: 'setting' }, el('span', {}, label), select);
  };
  return el(
    'details',
    { class: 'block more settings' },
    el('summary', {}, settings.title),
    models.length > 1 && choice('model', settings.model, [['auto', settings.automatic], ...models.map((name) => [name, name] as const)]),
    choice('face', settings.face, [
      ['auto', settings.faceAuto],
      ['off', settings.faceOff],
    ]),
    choice('metadata', settings.metadata, [
      ['keep', settings.metadataKeep],
      ['strip', settings.metadataStrip],
    ]),
    el('p', { class: 'muted small' }, settings.applies),
    button(settings.again, 'retry', () => targets.again(), { class: 'button-small' }),
  );
}
