import type { Job, Settings } from '../api/types.ts';

/** One finished picture, as this browser keeps it. */
export interface Past {
  readonly id?: number;
  readonly name: string;
  readonly time: number;
  readonly before: Blob;
  readonly after: Blob;
  readonly thumbnail: Blob;
  readonly job: Job;
  readonly settings: Settings;
}

const STORE = 'pictures';
/** Oldest go first above these; browsers promise no more than some hundred megabytes. */
const MOST = 40;
const MOST_BYTES = 300 * 1024 * 1024;

/** Finished pictures in this browser's IndexedDB; nothing of it leaves the browser. */
export class History {
  #database: Promise<IDBDatabase> | null = null;

  /** All, newest first. @throws DOMException where the browser keeps nothing */
  async list(): Promise<Past[]> {
    const store = (await this.#open()).transaction(STORE).objectStore(STORE);
    const all = await settled<Past[]>(store.getAll());
    return all.reverse();
  }

  async add(past: Past): Promise<void> {
    const database = await this.#open();
    await settled(database.transaction(STORE, 'readwrite').objectStore(STORE).add(past));
    const all = await this.list();
    let bytes = 0;
    const surplus = all.filter(({ before, after }, index) => {
      bytes += before.size + after.size;
      return index > 0 && (index >= MOST || bytes > MOST_BYTES);
    });
    const store = database.transaction(STORE, 'readwrite').objectStore(STORE);
    for (const { id } of surplus) if (id !== undefined) store.delete(id);
  }

  async clear(): Promise<void> {
    await settled((await this.#open()).transaction(STORE, 'readwrite').objectStore(STORE).clear());
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= new Promise((resolve, reject) => {
      const request = indexedDB.open('mingxi', 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id', autoIncrement: true });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return this.#database;
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
