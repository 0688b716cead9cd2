import { remember, remembered } from '../remember.ts';
import { en, type Messages } from './en.ts';
import { zh } from './zh.ts';

export type Language = 'en' | 'zh';

/** The chosen language, else the browser's. */
export function currentLanguage(): Language {
  const chosen = remembered('language') ?? navigator.language;
  return /^zh/i.test(chosen) ? 'zh' : 'en';
}

/** The texts of the current language. */
export function texts(): Messages {
  return currentLanguage() === 'zh' ? zh : en;
}

/** Switches to the other language and remembers it. */
export function switchLanguage(): void {
  const next = currentLanguage() === 'zh' ? 'en' : 'zh';
  remember('language', next);
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
}
