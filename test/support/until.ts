/** Waits so many milliseconds. */
export const pause = (milliseconds = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until there is something other than false or undefined, and gives it; the test's own time limit is the limit. */
export async function until<T>(condition: () => T | Promise<T>): Promise<Exclude<T, false | undefined>> {
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | undefined>;
    await pause();
  }
}
