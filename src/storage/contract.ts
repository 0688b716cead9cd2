import type { Readable } from 'node:stream';

/** What is known of a stored file. */
export interface StoredObject {
  /** Unguessable (160 random bits) and safe in paths and URLs: lower-case hex. */
  readonly id: string;
  /** Media type, e.g. `image/jpeg`. */
  readonly type: string;
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the content; fit for a strong ETag. */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Content by path or by bytes; a file named by path is moved in or copied, and is the storage's afterwards. */
export type Content = { readonly path: string } | { readonly bytes: Uint8Array };

export interface PutOptions {
  readonly type: string;
  /** Milliseconds since 1970; from then on the object is gone, swept or not. */
  readonly expiresAt: number;
}

/** First and last byte, both included, as in RFC 9110 §14.1. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface OpenedObject {
  readonly object: StoredObject;
  readonly stream: Readable;
}

/**
 * Where sources and results are kept. Objects are immutable: an id never changes its content.
 * Everything an object store can do too; no method needs a folder or a rename from it.
 */
export interface Storage {
  /** Keeps the content; when the promise resolves it is durable and readable by every process. */
  put(content: Content, options: PutOptions): Promise<StoredObject>;
  /** Undefined for an unknown, expired or malformed id. */
  stat(id: string): Promise<StoredObject | undefined>;
  /** The content as a stream, whole or a range within it. Undefined as for `stat`. */
  open(id: string, range?: ByteRange): Promise<OpenedObject | undefined>;
  /** Writes the content to a local file, for a process that needs a path. Undefined as for `stat`. */
  download(id: string, path: string): Promise<StoredObject | undefined>;
  /** True when something was there to delete. */
  delete(id: string): Promise<boolean>;
  /** Ids whose time is over, oldest first; what a sweep deletes. */
  expired(now: number): AsyncIterable<string>;
  /**
   * A short-lived link that the store itself serves (presigned), for stores set up to do so; else the
   * server streams. The answer from there carries the object's type and `fileName`.
   */
  link?(object: StoredObject, fileName: string): Promise<string>;
  /** Gives connections back, where a store holds any. */
  close?(): Promise<void>;
}
