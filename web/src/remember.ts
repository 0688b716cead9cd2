/** Small choices kept in this browser; where storage is blocked they last as long as the page. */
const memory = new Map<string, string>();

/** A remembered choice, or null. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`mingxi.${name}`) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

/** Keeps a choice; null forgets it. */
export function remember(name: string, value: string | null): void {
  if (value === null) memory.delete(name);
  else memory.set(name, value);
  try {
    if (value === null) localStorage.removeItem(`mingxi.${name}`);
    else localStorage.setItem(`mingxi.${name}`, value);
  } catch {
    // blocked: memory has it
  }
}
