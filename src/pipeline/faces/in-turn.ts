/**
 * What `work` makes of each item, in the items' order, with up to `atOnce` of them under way. Ends with the first
 * failure; what is still under way then is waited for, since it reads memory that its caller owns.
 */
export async function* inTurn<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<[Item, Result]> {
  const underWay: [Item, Promise<Result>][] = [];
  let next = 0;
  try {
    while (next < items.length || underWay.length > 0) {
      while (next < items.length && underWay.length < atOnce) {
        const item = items[next++] as Item;
        const result = work(item);
        // Heard when its turn comes, not before.
        result.catch(() => {});
        underWay.push([item, result]);
      }
      const [item, result] = underWay[0] as [Item, Promise<Result>];
      yield [item, await result];
      underWay.shift();
    }
  } finally {
    await Promise.allSettled(underWay.map(([, result]) => result));
  }
}
